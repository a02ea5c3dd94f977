// Keeps a page current: swaps the parts that the server sends, by id, and says so when nothing comes any more.
"use strict";
(() => {
  const root = document.documentElement;
  const lost = document.getElementById("lost");
  const SILENCE_MS = 8000; // the server speaks every second
  let heard = Date.now(), source;

  function element(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.firstElementChild;
  }

  // Where the keyboard is inside a part, as steps down from its root, so that it can be found again.
  function pathTo(node, from) {
    const steps = [];
    for (; node && node !== from; node = node.parentElement) {
      steps.unshift([...node.parentElement.children].indexOf(node));
    }
    return steps;
  }

  function put(next) {
    const old = next && next.id && document.getElementById(next.id);
    if (!old) return;
    for (const open of old.querySelectorAll("details[open][id]")) {
      next.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
    }
    if (old.isEqualNode(next)) return;
    const active = document.activeElement;
    const held = old.contains(active) ? pathTo(active, old) : null;
    const scrolls = [...old.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    old.replaceWith(next);
    [...next.querySelectorAll(".scroll")].forEach((box, n) => {
      if (scrolls[n]) [box.scrollLeft, box.scrollTop] = scrolls[n];
    });
    if (held) {
      held.reduce((node, step) => node?.children[step], next)?.focus({ preventScroll: true });
    }
    if (location.hash === "#" + next.id) { // a new element is not the target until it is visited again
      const [x, y] = [scrollX, scrollY];
      location.replace(location.hash);
      scrollTo(x, y);
    }
  }

  function mark() {
    const silence = Date.now() - heard;
    const gone = silence > SILENCE_MS;
    root.classList.toggle("lost", gone);
    lost.hidden = !gone;
    if (gone) {
      const s = Math.floor(silence / 1000);
      const [text, n] = s < 120 ? [lost.dataset.seconds, s] : [lost.dataset.minutes, Math.floor(s / 60)];
      lost.querySelector(".lost-age").textContent = text.replace("{n}", n);
    }
  }

  function connect() {
    source = new EventSource(root.dataset.stream);
    source.addEventListener("part", (event) => {
      heard = Date.now();
      put(element(event.data));
    });
    source.addEventListener("shape", (event) => {
      if (event.data !== root.dataset.shape) location.reload(); // another meter came
    });
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    };
  }

  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
  connect();
  setInterval(mark, 1000);
})();
