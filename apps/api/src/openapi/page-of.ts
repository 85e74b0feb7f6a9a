import type { Type } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';

const made = new Map<Type, Type>();

/** The documented class of a list's answer: `@ApiOkResponse({ type: PageOf(JobView) })`. */
export function PageOf(item: Type): Type {
  const known = made.get(item);
  if (known) return known;
  class PageOfItems {
    @ApiProperty({ type: item, isArray: true })
    items: unknown[];

    @ApiProperty({ type: 'string', nullable: true, description: 'Given back as ?cursor= to read on; null at the end.' })
    nextCursor: string | null;
  }
  Object.defineProperty(PageOfItems, 'name', { value: `${item.name.replace(/View$/, '')}Page` });
  made.set(item, PageOfItems);
  return PageOfItems;
}
