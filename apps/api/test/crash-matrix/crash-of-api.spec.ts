import { matrixOf } from './matrix.js';

matrixOf('api');
