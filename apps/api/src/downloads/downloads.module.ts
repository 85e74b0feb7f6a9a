import { Module } from '@nestjs/common';
import { FolderDownloads } from './folder-downloads.js';

/** What is sent to be kept by whoever asks. */
@Module({ providers: [FolderDownloads], exports: [FolderDownloads] })
export class DownloadsModule {}
