import 'reflect-metadata';
import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { backlog } from './backlog.js';
import type { Measurement } from './bench.js';
import type { Figure } from './figure.js';
import { idleLatency } from './idle-latency.js';
import { logPath } from './log-path.js';
import { overlays } from './overlays.js';
import { machine, table } from './report.js';
import { startServices } from './services.js';
import { throughput } from './throughput.js';

const measurements: Record<string, Measurement> = {
  latency: idleLatency,
  throughput,
  backlog,
  logs: logPath,
  overlays,
};

const program = new Command('npm run bench --')
  .description(
    'Measures the queue, its logs and overlays beside references on this machine; docs/benchmarks.md explains the figures.',
  )
  .option('--json <file>', 'write the figures there too')
  .option('--only <figure...>', `measure only these: ${Object.keys(measurements).join(', ')}`)
  .parse();
const options = program.opts<{ json?: string; only?: string[] }>();
const unknown = options.only?.find((name) => !(name in measurements));
if (unknown !== undefined)
  program.error(`There is no figure ${unknown}; there are ${Object.keys(measurements).join(', ')}.`);
const wanted = Object.entries(measurements).filter(([name]) => options.only?.includes(name) ?? true);
const say = (line: string) => process.stderr.write(`${line}\n`);

const figures: Figure[] = [];
const services = await startServices(say);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void services.stop().finally(() => process.exit(1)));
}
try {
  console.log((await machine(services.folder)).join('\n'));
  for (const [name, measure] of wanted) {
    say(`${name} …`);
    figures.push(...(await measure({ services, say })));
  }
} finally {
  await services.stop();
}
console.log(`\n${table(figures)}\n`);
const missed = figures.filter(({ met }) => met === false).length;
console.log(
  missed === 0
    ? 'Every goal is met.'
    : `${missed} of ${figures.filter(({ met }) => met !== null).length} goals are missed.`,
);
if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`);
