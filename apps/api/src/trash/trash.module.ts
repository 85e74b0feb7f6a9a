import { Module } from '@nestjs/common';
import { TrashController } from './trash.controller.js';
import { TrashList } from './trash-list.js';

/** What the API knows of the trash. What is on the disk is the host worker's (hosts/). */
@Module({ controllers: [TrashController], providers: [TrashList], exports: [TrashList] })
export class TrashModule {}
