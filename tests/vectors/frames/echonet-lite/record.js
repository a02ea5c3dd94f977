// Prints the hex of each row of frames.json, name by name, as npm's echonet-lite makes it.
// NODE_PATH=<node_modules> node record.js
'use strict';
const EL = require('echonet-lite');

let last = null;
EL.sendBase = (ip, buffer) => { last = Buffer.from(buffer).toString('hex').toUpperCase(); };

const made = {};
const device = { '028a01': { d3: [0, 0, 0, 0x78], d4: [0], e6: [2], 80: [0x30] } };
const value = [0x07, 0xEA, 0x0B, 0x16, 0x05, 0x1E, 0, 0, 0x01, 0x23, 0x45];

async function record(name, call) {
  await call();
  made[name] = last;
}

(async () => {
  EL.tid = [0, 0];
  await record('Get of one property', () => EL.sendOPC1('x', '05ff01', '028a01', EL.GET, 0xE2, ''));
  await record('SetC of the history day', () => EL.sendOPC1('x', '05ff01', '028a01', EL.SETC, 0xE1, [0, 3]));
  await record('SetI of the history day', () => EL.sendOPC1('x', '05ff01', '028a01', EL.SETI, 0xE1, [0, 3]));
  EL.tid = [0, 255];
  await record('Get of four, TID carried into its high byte',
    () => EL.sendDetails('x', '05ff01', '028a01', EL.GET, [{ d3: '' }, { d4: '' }, { e6: '' }, { c5: '' }]));
  EL.tid = [255, 255];
  await record('INF_REQ for the instance list, TID 0',
    () => EL.sendDetails('x', '0ef001', '0ef001', EL.INF_REQ, [{ d5: '' }]));
  EL.tid = [0x12, 0x33];
  await record('INF of the instance list',
    () => EL.sendDetails('x', '0ef001', '0ef001', EL.INF, [{ d5: '01028a01' }]));
  await record('INFC of the half hour',
    () => EL.sendDetails('x', '028a01', '05ff01', EL.INFC, [{ e3: '07ea0b16051e0000012345' }]));
  await record('INFC_Res', () => EL.replyOPC1('x', [0x12, 0x35], '05ff01', '028a01', EL.INFC_RES, 0xE3, ''));
  await record('Get_Res of one property',
    () => EL.replyOPC1('x', [0, 9], '028a01', '05ff01', EL.GET_RES, 0xE2, value));
  await record('INF_SNA', () => EL.replyOPC1('x', [0, 9], '028a01', '05ff01', EL.INF_SNA, 0xE2, ''));
  await record('SetI_SNA with the value that was refused',
    () => EL.replyOPC1('x', [0, 9], '028a01', '05ff01', EL.SETI_SNA, 0xE1, [0, 200]));
  await record('Get_Res of three, made by the device side',
    () => EL.replyGetDetail('x', EL.parseString('1081abcd05ff01028a016203d300d400e600'), device));
  await record('Get_SNA with one refused of three',
    () => EL.replyGetDetail('x', EL.parseString('1081abce05ff01028a016203d300ff00e600'), device));
  await record('an arbitrary message (format 2)',
    () => EL.sendArray('x', [0x10, 0x82, 0x00, 0x2A, 0x4B, 0x41, 0x49, 0x54]));
  console.log(JSON.stringify(made));
})();
