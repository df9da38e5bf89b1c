// nbgather's program analysis: parsed cells, one program of them, its control and data flow.
const { createInterface } = require("readline");
const { DataflowAnalyzer, ProgramBuilder, ControlFlowGraph } = require("@msrvida/python-program-analysis");

console.log = () => {}; // what it prints is no answer
const cell = (text, index) => ({
  text, executionCount: index + 1, executionEventId: `${index}`, persistentId: `${index}`,
  hasError: false, deepCopy() { return this; },
});
let cells = [];
let parsed = [];
let analyzer;

function parse(index) {
  const builder = new ProgramBuilder(analyzer);
  builder.add(cell(cells[index], index));
  parsed[index] = builder._cellPrograms[0];
}

function analyse() {
  const builder = new ProgramBuilder(analyzer);
  builder._cellPrograms = parsed;
  const program = builder.buildTo(`${cells.length - 1}`);
  analyzer.analyze(new ControlFlowGraph(program.tree));
  return parsed.filter((each) => each.hasError).length;
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const request = JSON.parse(line);
  if (global.gc) global.gc();
  const began = process.cpuUsage();
  let changed = [request.change];
  if (request.cells) {
    analyzer = new DataflowAnalyzer();
    cells = request.cells;
    parsed = [];
    changed = cells.keys();
  } else {
    cells[request.change] = request.text;
  }
  for (const index of changed) parse(index);
  const unread = analyse();
  const used = process.cpuUsage(began);
  const seconds = (used.user + used.system) / 1e6;
  process.stdout.write(JSON.stringify({ seconds, unread }) + "\n");
});
