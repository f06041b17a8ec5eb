import { billOfMaterials } from './bill.ts';
import { readProject } from './project.ts';

/** Writes the software bill of materials to standard output. */
process.stdout.write(billOfMaterials(readProject()));
