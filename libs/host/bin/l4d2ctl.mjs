#!/usr/bin/env node
// Committed, so that npm finds it when it links commands, which is before anything is built.
import '../dist/cli/l4d2ctl.js';
