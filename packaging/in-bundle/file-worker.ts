/** Stands for src/sources/file-worker.ts in what packaging/bundle.ts makes. */
import '../../src/sources/file-worker.ts';

import { giveBackFromNowOn } from './give-back.ts';

giveBackFromNowOn();
