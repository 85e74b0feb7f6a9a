import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openScripts } from './support/scripts.js';

const MIB = 1024 ** 2;
/** memfd_create(2) by its number, so many megabytes written to it, and so many seconds to look at them. */
const MEMFD = `memfd() { perl -e '$| = 1; my ($number, $name) = (\`uname -m\` =~ /aarch64/ ? 279 : 319, "x");
  open(my $file, ">&=", syscall($number, $name, 0)) or die "$!\\n"; print $file "x" x 1e6 for 1..$ARGV[0]; print "written\\n"; sleep $ARGV[1]' "$@"; }`;
/** So many files in memory (memfd_create(2)), and two of the disk of so many megabytes, that are mapped (mmap(2)), never touched there, and closed. */
const MAPPED = `mapped() { perl -MIO::Handle -e '$| = 1; my ($memfd, $mmap) = \`uname -m\` =~ /aarch64/ ? (279, 222) : (319, 9); my $name = "x";
  sub map_it { my ($file, $mb, $kind) = @_; print $file "x" x 1e6 for 1..$mb; $file->flush;
    die "$!\\n" if syscall($mmap, 0, $mb * 1000000, 1, $kind, fileno($file), 0) == -1; close $file }
  for (1..$ARGV[0]) { open(my $memory, "+<&=", syscall($memfd, $name, 0)) or die "$!\\n"; map_it($memory, 30, 1) }
  for my $kind (1, 2) { open(my $disk, "+>", "f") or die "$!\\n"; unlink "f"; map_it($disk, $ARGV[1], $kind) }
  print "written\\n"; sleep $ARGV[2]' "$@"; }`;

describe('a script in bubblewrap over a limit that no folder and no process shows', () => {
  it('is stopped by name of the limit: files that were removed while open', async () => {
    const scripts = await openScripts({ diskBytes: 20 * MIB });
    const hidden = (count: number): string =>
      `for i in $(seq ${count}); do (exec 3>f$i; rm f$i; head -c 9M /dev/zero >&3; sleep 60) & done;`;
    await scripts.run(`${hidden(2)} sleep 1; echo fine; kill $(jobs -p)`);
    expect(scripts.said).toContain('fine');
    await expect(scripts.run(`${hidden(3)} wait`)).rejects.toMatchObject({
      message: 'the script was stopped: it has written more than 20 MiB to files that it has removed and not closed',
    });
  });

  it.skipIf(!existsSync('/usr/bin/perl'))('is stopped by name of the limit: memory that nothing maps', async () => {
    const scripts = await openScripts({ memoryBytes: 200 * MIB });
    await expect(scripts.run(`${MEMFD}\nmemfd 100 1`)).resolves.toEqual(['written']);
    await expect(scripts.run(`${MEMFD}\nmemfd 300 60`)).rejects.toMatchObject({
      message: 'the script was stopped: it uses more than 200 MiB of memory',
    });
  });

  it.skipIf(!existsSync('/usr/bin/perl'))(
    'is stopped by name of the limit: what it mapped and closed, in memory and of the disk',
    async () => {
      const scripts = await openScripts({ memoryBytes: 200 * MIB, diskBytes: 40 * MIB });
      await expect(scripts.run(`${MAPPED}\nmapped 3 10 1`)).resolves.toEqual(['written']);
      await expect(scripts.run(`${MAPPED}\nmapped 9 10 60`)).rejects.toMatchObject({
        message: 'the script was stopped: it uses more than 200 MiB of memory',
      });
      await expect(scripts.run(`${MAPPED}\nmapped 3 30 60`)).rejects.toMatchObject({
        message: 'the script was stopped: it has written more than 40 MiB to files that it has removed and not closed',
      });
    },
  );

  it('is stopped by name of the limit: pieces of memory', async () => {
    const scripts = await openScripts({ mappings: 800 });
    await expect(scripts.run('for i in $(seq 60); do sleep 60 & done; wait')).rejects.toMatchObject({
      message: 'the script was stopped: it maps more than 800 pieces of memory',
    });
  });

  it('is stopped by name of the limit: open files', async () => {
    const scripts = await openScripts({ openFiles: 500 });
    const open =
      'for fd in $(seq 10 110); do eval "exec $fd</dev/null"; done; for i in $(seq 8); do sleep 60 & done; wait';
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
