/** What `behaviour` may hold is in README.md. */
export function setUp(folder: string, behaviour: object): void;
