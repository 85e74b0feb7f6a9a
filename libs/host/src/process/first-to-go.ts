import { writeFileSync } from 'node:fs';
import { hasCode } from '../overlay/durable.js';

/** More than game servers and scripts have in their units. */
const SCORE = '800';

/** Of a program that reads what somebody has sent: when memory runs out, the kernel ends it and not the process that started it. */
export function firstToGo(pid: number | undefined): void {
  if (pid === undefined) return; // it could not be started
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, SCORE);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ESRCH')) throw error; // it has ended already
  }
}
