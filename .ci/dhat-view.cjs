// node dhat-view.cjs VIEWER.html FILE.json...: opens each file in DHAT's viewer as a user does, by
// jsdom (which NODE_PATH must reach), and sorts it in every way that the menu offers. Exits with 1
// where the viewer refuses a file or shows other totals than the file's, and where the file
// contradicts itself in what the viewer takes on trust.
'use strict';
const fs = require('fs');
const { JSDOM, VirtualConsole } = require('jsdom');

// What a program point must have, with lifetimes of blocks and without.
const countsOf = (data) =>
  data.bklt ? ['tb', 'tbk', 'tl', 'mb', 'mbk', 'gb', 'gbk', 'eb', 'ebk'] : ['tb', 'tbk'];

// The last three parts of a path are shown.
const isFrame = /^0x[0-9a-f]+: .+ \((?:[^/()]+\/){0,2}[^/()]+:\d+:\d+\)$/;

const sum = (pps, field) => pps.reduce((total, pp) => total + pp[field], 0);

// What is wrong in the data alone. The viewer itself looks at neither the numbers nor the frame
// indices.
function contradictions(data) {
  const problems = [];
  const claim = (holds, problem) => holds || problems.push(problem);
  const isCount = (n) => Number.isSafeInteger(n) && n >= 0;

  const { ftbl, pps, bklt, tg, te } = data;
  claim(ftbl[0] === '[root]', `ftbl[0] is ${ftbl[0]}`);
  claim(new Set(ftbl).size === ftbl.length, 'ftbl has the same frame twice');
  const used = new Set(pps.flatMap((pp) => pp.fs));
  for (const [index, frame] of ftbl.entries()) {
    if (index === 0) continue;
    claim(isFrame.test(frame), `ftbl[${index}] is ${frame}`);
    claim(used.has(index), `ftbl[${index}] is in no stack`);
  }
  claim(isCount(te) && (!bklt || (isCount(tg) && tg <= te)), `the times are tg ${tg}, te ${te}`);

  for (const [index, pp] of pps.entries()) {
    const wrong = (problem) => problems.push(`pps[${index}]: ${problem}`);
    for (const field of countsOf(data)) isCount(pp[field]) || wrong(`${field} is ${pp[field]}`);
    for (const frame of pp.fs) {
      // Frame 0 is the viewer's own.
      if (!(isCount(frame) && frame > 0 && frame < ftbl.length)) {
        wrong(`frame ${frame} of ${ftbl.length}`);
      }
    }
    if (!bklt) continue;
    if (Math.max(pp.gb, pp.eb) > pp.mb || pp.mb > pp.tb) wrong('gb or eb above mb, or mb above tb');
    // Each time may have lost a fraction.
    if (pp.tl > pp.tbk * (te + 1)) wrong(`tl ${pp.tl} for ${pp.tbk} blocks within ${te}`);
  }
  if (bklt) claim(sum(pps, 'eb') <= sum(pps, 'gb'), 'more bytes at t-end than at t-gmax');
  return problems;
}

// What must be in the lines that the viewer shows of the whole program.
function totals(data) {
  const number = (n) => new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 }).format(n);
  const line = (bytes, blocks) => [
    `${number(sum(data.pps, bytes))} ${data.bsu ?? 'bytes'}`,
    `in ${number(sum(data.pps, blocks))} ${data.bksu ?? 'blocks'}`,
  ];
  const lines = { Total: line('tb', 'tbk') };
  if (data.bklt) {
    const lifetime = sum(data.pps, 'tl') / Math.max(sum(data.pps, 'tbk'), 1);
    lines.Total.push(`avg lifetime ${number(lifetime)} ${data.tu}`);
    lines['At t-gmax'] = line('gb', 'gbk');
    lines['At t-end'] = line('eb', 'ebk');
  }
  return lines;
}

// What of the totals is not to be seen in the text that the viewer shows of its root.
function otherTotals(root, data) {
  const problems = [];
  for (const [name, parts] of Object.entries(totals(data))) {
    const lines = root.split('\n').map((line) => line.trim());
    const line = lines.find((line) => line.startsWith(`${name}: `)) ?? '';
    for (const part of parts) {
      if (!line.includes(` ${part} `)) {
        problems.push(`the viewer shows "${line}", but the file has ${part}`);
      }
    }
  }
  return problems;
}

// Opens a file in the viewer. Returns what the viewer objects to, in how many orders it shows the
// file, and the texts that it shows of the root.
async function view(viewer, text) {
  const problems = [];
  const virtualConsole = new VirtualConsole();
  virtualConsole.on('jsdomError', (error) => problems.push(error.message));
  virtualConsole.on('error', (...words) => problems.push(words.join(' ')));
  const options = { runScripts: 'dangerously', resources: 'usable', virtualConsole };
  const dom = await JSDOM.fromFile(viewer, options);
  const { window } = dom;
  const { document } = window;
  await new Promise((resolve) => window.addEventListener('load', resolve));

  // Where the viewer throws, it shows the exception in place of the tree. jsdom tells of those in
  // handlers of elements only.
  const tree = () => document.querySelector('pre');
  const refusal = () => document.querySelector('.error')?.textContent;
  const input = document.querySelector('input[type=file]');
  Object.defineProperty(input, 'files', { value: [new window.File([text], 'profile.json')] });
  input.dispatchEvent(new window.Event('change'));
  while (!tree() && !refusal() && problems.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  const roots = [];
  let orders = 0;
  const select = document.querySelector('select');
  for (const [index, option] of [...select.options].entries()) {
    if (option.disabled || refusal()) continue;
    select.selectedIndex = index;
    tree()?.remove();
    select.dispatchEvent(new window.Event('change'));
    orders += 1;
    const root = tree()?.querySelector('.internal, .leaf');
    if (!root) problems.push(`nothing is shown by ${option.label}`);
    // The root is cut short in orders that it has no part in: short-lived blocks, for example.
    else if (!root.classList.contains('insig')) roots.push(root.textContent);
  }
  if (refusal() && problems.length === 0) problems.push(refusal());
  window.close();
  return { problems, orders, roots };
}

// Shows a file to the viewer, and compares what that shows with the file, or with another one.
async function judge(viewer, text, other = text) {
  const { problems, orders, roots } = await view(viewer, text);
  if (problems.length === 0) {
    const data = JSON.parse(other);
    problems.push(...contradictions(data));
    problems.push(...new Set(roots.flatMap((root) => otherTotals(root, data))));
    if (roots.length === 0) problems.push('the viewer shows no totals');
  }
  return { problems, orders, roots };
}

// Two stacks of one function, which live on, and a third that is empty again.
const example = () => ({
  dhatFileVersion: 2, mode: 'rust-heap', verb: 'Allocated', bklt: true, bkacc: false,
  tu: 'µs', Mtu: 's', tuth: 10,
  cmd: 'example', pid: 1, tg: 7000, te: 9000,
  pps: [
    { tb: 1000, tbk: 10, tl: 4000, mb: 100, mbk: 1, gb: 100, gbk: 1, eb: 100, ebk: 1, fs: [1, 2] },
    { tb: 2000, tbk: 4, tl: 25000, mb: 900, mbk: 3, gb: 800, gbk: 2, eb: 700, ebk: 3, fs: [1, 3] },
    { tb: 50, tbk: 2, tl: 3, mb: 25, mbk: 1, gb: 0, gbk: 0, eb: 0, ebk: 0, fs: [4] },
  ],
  ftbl: [
    '[root]', '0x1: make (src/lib.rs:1:1)', '0x2: a (src/lib.rs:2:1)', '0x3: b (src/lib.rs:3:1)',
    '0x4: c (???:0:0)',
  ],
});

// What may be wrong with a file, and what this script must say of it.
const spoilt = [
  ['another version', (data) => (data.dhatFileVersion = 1), /version number 1/],
  ['no mode', (data) => delete data.mode, /missing a field: mode/],
  ['no threshold of short lives', (data) => delete data.tuth, /missing a field: tuth/],
  ['no blocks at the maximum', ({ pps }) => delete pps[2].mbk, /missing a field: mbk/],
  ['no lifetimes', ({ pps }) => delete pps[2].tl, /tl is undefined/],
  ['a count as text', ({ pps }) => (pps[0].tb = '1000'), /tb is 1000/],
  ['a stack twice', ({ pps }) => (pps[1].fs = pps[0].fs), /repeated location/],
  ['a frame past the table', ({ pps }) => (pps[2].fs = [4, 5]), /frame 5 of 5/],
  ['the root as a frame', ({ pps }) => (pps[2].fs = [4, 0]), /frame 0 of 5/],
  ['another root', ({ ftbl }) => (ftbl[0] = '0x5: d (src/lib.rs:4:1)'), /ftbl\[0\] is 0x5/],
  [
    'a frame in no stack', ({ ftbl }) => ftbl.push('0x5: d (src/lib.rs:4:1)'),
    /ftbl\[5\] is in no stack/,
  ],
  ['a frame twice in the table', ({ ftbl }) => (ftbl[3] = ftbl[2]), /the same frame twice/],
  ['a frame without a place', ({ ftbl }) => (ftbl[4] = '0x4: c'), /ftbl\[4\] is 0x4: c/],
  [
    'a path from the root of the disk', ({ ftbl }) => (ftbl[4] = '0x4: c (/a/src/lib.rs:1:1)'),
    /ftbl\[4\] is 0x4: c/,
  ],
  ['a maximum past the end', (data) => (data.tg = 9001), /tg 9001/],
  ['more at t-gmax than ever', ({ pps }) => (pps[1].gb = 901), /pps\[1\]: .* above mb/],
  ['more at the end than at t-gmax', ({ pps }) => (pps[1].eb = 900), /at t-end than at t-gmax/],
  ['blocks older than the program', ({ pps }) => (pps[2].tl = 20000), /tl 20000 for 2 blocks/],
];

// Fails unless this script accepts a file that is well, and refuses each spoilt one for the right
// reason.
async function testItself(viewer) {
  const expect = async (name, text, reason, other) => {
    const { problems } = await judge(viewer, text, other);
    const found = reason ? problems.some((problem) => reason.test(problem)) : problems.length === 0;
    if (!found) throw new Error(`self-test "${name}": ${problems.join('; ') || 'accepted'}`);
  };
  const good = JSON.stringify(example());
  await expect('a good file', good);
  await expect('a truncated file', good.slice(0, -10), /JSON/);
  for (const [name, spoil, reason] of spoilt) {
    const data = example();
    spoil(data);
    await expect(name, JSON.stringify(data), reason);
  }
  for (const field of ['tb', 'tbk', 'tl', 'gb', 'gbk', 'eb', 'ebk']) {
    const other = example();
    other.pps[1][field] += 1;
    await expect(`another ${field}`, good, /the viewer shows/, JSON.stringify(other));
  }
}

async function main([viewer, ...files]) {
  await testItself(viewer);
  for (const file of files) {
    const text = fs.readFileSync(file, 'utf8');
    const { problems, orders, roots } = await judge(viewer, text);
    for (const problem of problems) console.log(`${file}: ${problem}`);
    if (problems.length > 0) {
      process.exitCode = 1;
    } else {
      const total = roots[0].match(/Total: +(.+? \S+) \(.* in (.+? \S+) \(/);
      console.log(`${file}: ${total[1]} in ${total[2]}, shown in ${orders} orders`);
    }
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
