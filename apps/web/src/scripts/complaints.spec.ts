import { expect, it } from 'vitest';
import { ApiProblem } from '../api/client';
import { complaintsOf } from './complaints';

const refused = (...messages: string[]) =>
  new ApiProblem({
    status: 400,
    title: 'Bad Request',
    fields: messages.map((message) => ({ path: 'script', message })),
  });

it('finds the line that bash names', () => {
  expect(
    complaintsOf(refused("line 12: syntax error near unexpected token `fi'", "line 12: `fi'", 'is empty')),
  ).toEqual([
    { line: 12, message: "syntax error near unexpected token `fi'" },
    { line: 12, message: "`fi'" },
    { line: null, message: 'The script is empty.' },
  ]);
});

it('tells what else went wrong as it is', () => {
  expect(complaintsOf(new ApiProblem({ status: 409, title: 'Conflict', detail: 'Somebody was faster.' }))).toEqual([
    { line: null, message: 'Somebody was faster.' },
  ]);
  expect(complaintsOf(null)).toEqual([]);
});
