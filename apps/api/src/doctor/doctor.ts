import { type Finding, good, examineEnabled, examineMachine } from '@left4me/host';
import type { Settings } from '../config/settings.js';
import { keptSecretKey } from '../panel/secret-key.js';
import { examineDrafts } from './examine-drafts.js';
import { examineAddresses, examineDatabase, examineRedis } from './examine-services.js';

/** `left4me doctor`: looks at everything the panel needs, changes nothing, and says of what is wrong how to mend it. */
export async function examine(settings: Settings): Promise<Finding[]> {
  const { databaseUrl, redisUrl, root, serviceManager, steamcmd, workerEnabled, apiEnabled } = settings;
  const [database, redis, machine, drafts, enabled] = await Promise.all([
    databaseUrl === null
      ? [embedded('PostgreSQL')]
      : keptSecretKey(root).then((kept) => examineDatabase(databaseUrl, settings.secretKey ?? kept)),
    redisUrl === null ? [embedded('Redis')] : examineRedis(redisUrl),
    workerEnabled ? examineMachine({ root, serviceManager, ...(steamcmd === null ? {} : { steamcmd }) }) : [],
    workerEnabled ? [] : examineDrafts(root),
    workerEnabled ? [] : examineEnabled('left4me-api.service'),
  ]);
  return [...database, ...redis, ...(apiEnabled ? examineAddresses(settings) : []), ...drafts, ...enabled, ...machine];
}

function embedded(name: string): Finding {
  return good(name, 'the panel brings its own');
}

const MARKS = { good: 'good   ', warning: 'warning', bad: 'BAD    ' };

/** For a terminal: a line for each finding, and one more for what to do. */
export function describe(findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ state, about, found, mend }) => [
    `${MARKS[state]}  ${about}: ${found}`,
    ...(mend === null ? [] : [`         → ${mend}`]),
  ]);
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length;
  return `${lines.join('\n')}\n\n${count('good')} good, ${count('warning')} to be considered, ${count('bad')} bad.\n`;
}
