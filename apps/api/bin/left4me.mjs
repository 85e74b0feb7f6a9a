#!/usr/bin/env node
// Committed, so that npm finds it when it links commands, which is before anything is built.
import '../dist/left4me.js';
