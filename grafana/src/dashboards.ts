import { FLEET } from './fleet.ts';

export const DASHBOARDS = [FLEET];
