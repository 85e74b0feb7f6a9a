import type { MigrationInterface } from 'typeorm';
import { Initial1795300000000 } from './1795300000000-initial.js';
import { UserNames1795300100000 } from './1795300100000-user-names.js';
import { GenerationRecipe1795300200000 } from './1795300200000-generation-recipe.js';
import { IdempotencyKeys1795300300000 } from './1795300300000-idempotency-keys.js';
import { ForgetPlainBodyHashes1795300400000 } from './1795300400000-forget-plain-body-hashes.js';
import { HostState1795300500000 } from './1795300500000-host-state.js';
import { JobRequests1795300700000 } from './1795300700000-job-requests.js';
import { QueueFunctions1795300800000 } from './1795300800000-queue-functions.js';
import { HostWorkers1795300900000 } from './1795300900000-host-workers.js';
import { SecretKeyCheck1795301000000 } from './1795301000000-secret-key-check.js';
import { JobCancellations1795301500000 } from './1795301500000-job-cancellations.js';
import { HostAddresses1795301600000 } from './1795301600000-host-addresses.js';
import { ServerUsage1795301700000 } from './1795301700000-server-usage.js';
import { NewestBuild1795301800000 } from './1795301800000-newest-build.js';
import { RemovedHosts1795301900000 } from './1795301900000-removed-hosts.js';
import { OverlayKinds1795302100000 } from './1795302100000-overlay-kinds.js';
import { Drafts1795302200000 } from './1795302200000-drafts.js';
import { WorkshopItems1795302300000 } from './1795302300000-workshop-items.js';
import { OverlayScripts1795302400000 } from './1795302400000-overlay-scripts.js';
import { BlueprintContent1795302500000 } from './1795302500000-blueprint-content.js';
import { RevisionsInUse1795302700000 } from './1795302700000-revisions-in-use.js';
import { Trash1795302800000 } from './1795302800000-trash.js';
import { GivenValues1795303042000 } from './1795303042000-given-values.js';
import { PurgeProblems1795303043000 } from './1795303043000-purge-problems.js';
import { ReplacedFolders1795304100000 } from './1795304100000-replaced-folders.js';
import { UploadSources1795304500000 } from './1795304500000-upload-sources.js';
import { MergedFolders1795304600000 } from './1795304600000-merged-folders.js';

/** Every migration, oldest first. */
export const migrations: (new () => MigrationInterface)[] = [
  Initial1795300000000,
  UserNames1795300100000,
  GenerationRecipe1795300200000,
  IdempotencyKeys1795300300000,
  ForgetPlainBodyHashes1795300400000,
  HostState1795300500000,
  JobRequests1795300700000,
  QueueFunctions1795300800000,
  HostWorkers1795300900000,
  SecretKeyCheck1795301000000,
  JobCancellations1795301500000,
  HostAddresses1795301600000,
  ServerUsage1795301700000,
  NewestBuild1795301800000,
  RemovedHosts1795301900000,
  OverlayKinds1795302100000,
  Drafts1795302200000,
  WorkshopItems1795302300000,
  OverlayScripts1795302400000,
  BlueprintContent1795302500000,
  RevisionsInUse1795302700000,
  Trash1795302800000,
  GivenValues1795303042000,
  PurgeProblems1795303043000,
  ReplacedFolders1795304100000,
  UploadSources1795304500000,
  MergedFolders1795304600000,
];
