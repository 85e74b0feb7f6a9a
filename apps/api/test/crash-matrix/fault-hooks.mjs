// Loads the built product with its `// fault point: <name>` comments turned into calls; nothing else of it is changed.
const PRODUCT = /\/(apps\/api|libs\/host)\/dist\//;

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (loaded.format !== 'module' || !PRODUCT.test(url)) return loaded;
  const source = Buffer.from(loaded.source).toString();
  return {
    ...loaded,
    source: source.replaceAll(/\/\/ fault point: (.+)$/gm, (_, name) => `left4meFaultPoint(${JSON.stringify(name)});`),
  };
}
