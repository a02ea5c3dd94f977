// Run on one host: npm echonet-lite as a device of class 0x028A that answers from a fixed table.
// argv[2]: 4 or 6, the version of IP.
'use strict';
const path = require('path');
const EL = require(path.join(__dirname, '..', 'peers', 'node_modules', 'echonet-lite'));

const clock = [0x07, 0xea, 7, 15, 13, 0, 0];           // 2026-07-15 13:00:00
const count = (n) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const history = [0x00, 0x01];
for (let i = 0; i < 48; i++) history.push(...(i === 20 ? [0xff, 0xff, 0xff, 0xfe] : count(8412000 + 10 * i)));
const map = (codes) => {                               // property map, bitmap form (appendix, annex 1)
  const bits = new Array(16).fill(0);
  for (const c of codes) bits[c & 15] |= 1 << ((c >> 4) - 8);
  return [codes.length, ...bits];
};
const gettable = [0x80, 0x82, 0x88, 0x8a, 0x8d, 0x9d, 0x9e, 0x9f, 0xc1, 0xc3, 0xc4, 0xc5, 0xc6, 0xd3, 0xd4, 0xe0,
                  0xe1, 0xe2, 0xe3, 0xe5, 0xe6, 0xe7];
const meter = {
  '80': [0x30], '82': [0, 0, 0x52, 0], '88': [0x42], '8a': [0, 0, 0x77],
  '8d': [...Buffer.from('JS-METER-001')],
  '9d': [3, 0x80, 0x81, 0x88], '9e': [1, 0xe1], '9f': map(gettable),
  'c1': count(330), 'c3': [...clock, ...count(332)], 'c4': [6], 'c5': [0x01], 'c6': history,
  'd3': count(1200), 'd4': [0x00], 'e0': [1], 'e1': [0xff],
  'e2': [...clock, ...count(8412907)], 'e3': [...clock, ...count(8412900)],
  'e5': [8], 'e6': [0x03], 'e7': history,
};
const details = { '028a01': meter };
(async () => {
  await EL.initialize(['028a01'], (rinfo, els, error) => {
    if (error || els.DEOJ !== '028a01') return;
    if (els.ESV === EL.GET) EL.replyGetDetail(rinfo, els, details);
    else if (els.ESV === EL.SETC || els.ESV === EL.SETI) EL.replySetDetail(rinfo, els, details);
  }, Number(process.argv[2] || 4), { ignoreMe: true, autoGetProperties: false });
  console.log('ready');
})();
