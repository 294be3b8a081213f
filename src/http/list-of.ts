import type { Type } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';

/** A page of a list, the form of every list of the gateway. */
export interface ListPage<Item> {
  object: 'list';
  data: Item[];
  has_more: boolean;
  next: string | null;
}

/** The base class of the DTO of a list: `class KeyListDto extends ListOf(KeyDto, 'The keys of this page.') {}`. */
export function ListOf<Item>(item: Type<Item>, description: string): Type<ListPage<Item>> {
  class ListPageDto implements ListPage<Item> {
    @ApiProperty({ enum: ['list'], example: 'list', description: 'Always `list`.' })
    object!: 'list';
    @ApiProperty({ type: [item], description })
    data!: Item[];
    @ApiProperty({ type: Boolean, example: false, description: 'Whether there are more.' })
    has_more!: boolean;
    @ApiProperty({
      type: String,
      nullable: true,
      example: null,
      description: 'Send it as `after` for the next page; null on the last.',
    })
    next!: string | null;
  }
  return ListPageDto;
}
