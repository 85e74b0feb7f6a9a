/** Of programs that are asked something: they are not told this process's own environment, which has its secrets. */
export const CLEAN_ENV = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };
