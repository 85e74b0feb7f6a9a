import { describe, expect, it } from 'vitest';
import { linkProblem } from './link-target.js';

describe('a link in a draft', () => {
  it.each([
    [[], 'a'],
    [[], 'a/b'],
    [['a'], '../b'],
    [['a', 'b'], '../../c/d'],
    [['a'], './../b'],
    [['a'], '..'],
  ])('in %j may point to %s', (parents, target) => {
    expect(linkProblem(parents, target)).toBeNull();
  });

  it.each([
    [[], '/etc'],
    [[], '..'],
    [[], '../a'],
    [['a'], '../../b'],
    [['a'], 'b/../../..'],
    [['a'], 'b/..'],
  ])('in %j may not point to %s', (parents, target) => {
    expect(linkProblem(parents, target)).not.toBeNull();
  });
});
