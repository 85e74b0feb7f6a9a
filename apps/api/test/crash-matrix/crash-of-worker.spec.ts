import { matrixOf } from './matrix.js';

matrixOf('worker');
