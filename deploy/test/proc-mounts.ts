/**
 * Where, in a mount namespace, procfs is mounted whole with nothing mounted over a part of it. Only then does the kernel let a user
 * namespace mount one of its own (mnt_already_visible in fs/namespace.c).
 * @param mountinfo as /proc/<pid>/mountinfo has it (proc(5))
 */
export function uncoveredProc(mountinfo: string): string[] {
  const mounts = mountinfo.split('\n').map((line) => {
    const [id, parent, , root, point] = line.split(' ');
    return { id, parent, root, point: point ?? '', kind: line.split(' - ')[1]?.split(' ')[0] };
  });
  const covered = new Set(mounts.map(({ parent }) => parent));
  return mounts
    .filter(({ id, root, kind }) => kind === 'proc' && root === '/' && !covered.has(id))
    .map(({ point }) => point);
}
