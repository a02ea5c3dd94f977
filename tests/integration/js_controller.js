// Run on one host: npm echonet-lite as a controller reads the meter at argv[2]; prints JSON.
'use strict';
const path = require('path');
const EL = require(path.join(__dirname, '..', 'peers', 'node_modules', 'echonet-lite'));

const meter = process.argv[2];
const heard = [];
let wake = () => {};
const answer = (test) => new Promise((resolve, reject) => {
  const timer = setTimeout(() => reject(new Error('no answer; heard ' + JSON.stringify(heard))), 15000);
  wake = () => { const hit = heard.find(test); if (hit) { clearTimeout(timer); resolve(hit); } };
  wake();
});
(async () => {
  await EL.initialize(['05ff01'], (rinfo, els, error) => {
    if (error || rinfo.address !== meter) return;
    heard.push({ esv: els.ESV, seoj: els.SEOJ, opc: els.OPC, details: els.DETAILs });
    wake();
  }, 4, { ignoreMe: true, autoGetProperties: false });
  const result = {};
  EL.sendOPC1(meter, '05ff01', '0ef001', EL.GET, 'd6', '');
  result.instances = (await answer((e) => e.esv === '72' && e.details.d6)).details.d6;
  EL.sendDetails(meter, '05ff01', '028a01', EL.GET, [{ d3: '' }, { d4: '' }, { e6: '' }, { e2: '' }]);
  result.many = (await answer((e) => e.esv === '72' && e.details.e2)).details;
  EL.sendDetails(meter, '05ff01', '028a01', EL.GET, [{ d3: '' }, { ea: '' }]);
  const partial = await answer((e) => e.esv === '52');
  result.partial = { esv: partial.esv, details: partial.details };
  EL.sendOPC1(meter, '05ff01', '028a01', EL.SETC, 'e1', '01');
  result.set = (await answer((e) => e.esv === '71')).details;
  EL.sendOPC1(meter, '05ff01', '028a01', EL.GET, 'e7', '');
  result.history = (await answer((e) => e.details.e7)).details.e7;
  EL.sendOPC1(meter, '05ff01', '028a01', EL.SETC, 'e1', '64');
  result.refused = (await answer((e) => e.esv === '51')).details;
  EL.sendOPC1(meter, '05ff01', '028a01', EL.INF_REQ, 'd3', '');
  result.inf = (await answer((e) => e.esv === '73' && e.details.d3)).details;
  console.log(JSON.stringify(result));
  process.exit(0);
})().catch((error) => { console.error(error); process.exit(1); });
