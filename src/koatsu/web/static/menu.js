// Closes an open menu when Escape is pressed or something else is chosen; without it the menus work by their summary.
"use strict";
(() => {
  const open = () => document.querySelectorAll("details.menu[open]");
  addEventListener("click", (event) => {
    for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
})();
