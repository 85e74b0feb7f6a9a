import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'FieldError' })
export class FieldErrorView {
  @ApiProperty({ example: 'overlays.2.overlayId' })
  path: string;

  @ApiProperty()
  message: string;
}

/** RFC 9457, as problems/answer.ts makes them. */
@ApiSchema({ name: 'Problem' })
export class ProblemView {
  @ApiProperty({ example: 'about:blank' })
  type: string;

  @ApiProperty({ example: 'Conflict' })
  title: string;

  @ApiProperty({ type: 'integer', example: 409 })
  status: number;

  @ApiProperty({ description: 'What is wrong, for people.' })
  detail: string;

  @ApiProperty({ type: FieldErrorView, isArray: true, required: false })
  errors?: FieldErrorView[];
}
