/** Stands for src/sources/files/file-worker.ts in what packaging/bundle.ts makes. */
import '../../src/sources/files/file-worker.ts';

import { giveBackFromNowOn } from './give-back.ts';

giveBackFromNowOn();
