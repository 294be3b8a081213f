import { ApiProperty } from '@nestjs/swagger';
import { IsNumber, IsOptional, Max, Min } from 'class-validator';

/** How to reset or credit a budget. */
export class ResetBudgetDto {
  /**
   * US dollars to add to what is left in the present period, in billionths at least. What is spent stays. Without it the
   * budget is reset: it is whole again, what calls before now cost counts no more, and earlier credits end.
   */
  @ApiProperty({ type: Number, required: false, minimum: 0.000000001, maximum: 1_000_000, example: 5 })
  @IsOptional()
  @IsNumber()
  @Min(0.000000001)
  @Max(1_000_000)
  credit?: number;
}
