import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openScripts } from './support/scripts.js';

const MIB = 1024 ** 2;
/** memfd_create(2) by its number, so many megabytes written to it, and so many seconds to look at them. */
const MEMFD = `memfd() { perl -e '$| = 1; my ($number, $name) = (\`uname -m\` =~ /aarch64/ ? 279 : 319, "x");
  open(my $file, ">&=", syscall($number, $name, 0)) or die "$!\\n"; print $file "x" x 1e6 for 1..$ARGV[0]; print "written\\n"; sleep $ARGV[1]' "$@"; }`;

describe('a script in bubblewrap over a limit that no folder and no process shows', () => {
  it('is stopped by name of the limit: files that were removed while open', async () => {
    const scripts = await openScripts({ diskBytes: 20 * MIB });
    const hidden = (count: number): string =>
      `for i in $(seq ${count}); do (exec 3>f$i; rm f$i; head -c 9M /dev/zero >&3; sleep 20) & done;`;
    await scripts.run(`${hidden(2)} sleep 1; echo fine; kill $(jobs -p)`);
    expect(scripts.said).toContain('fine');
    await expect(scripts.run(`${hidden(3)} wait`)).rejects.toMatchObject({
      message: 'the script was stopped: it has written more than 20 MiB to files that it has removed and not closed',
    });
  });

  it.skipIf(!existsSync('/usr/bin/perl'))('is stopped by name of the limit: memory that nothing maps', async () => {
    const scripts = await openScripts({ memoryBytes: 200 * MIB });
    await expect(scripts.run(`${MEMFD}\nmemfd 100 1`)).resolves.toEqual(['written']);
    await expect(scripts.run(`${MEMFD}\nmemfd 300 20`)).rejects.toMatchObject({
      message: 'the script was stopped: it uses more than 200 MiB of memory',
    });
  });

  it('is stopped by name of the limit: open files', async () => {
    const scripts = await openScripts({ openFiles: 500 });
    const open =
      'for fd in $(seq 10 110); do eval "exec $fd</dev/null"; done; for i in $(seq 8); do sleep 20 & done; wait';
    await expect(scripts.run(open)).rejects.toMatchObject({
      message: 'the script was stopped: it has more than 500 files open',
    });
  });

  it('is what the kernel ends first where memory is used up all the same', async () => {
    const script = 'rank=/proc/$$/oom_score_adj; cat $rank; { echo 0 >$rank; } 2>&1; cat $rank';
    const lines = await (await openScripts()).run(script);
    expect(lines).toEqual(['1000', expect.stringMatching(/Read-only file system$/), '1000']);
  });
});
