import '@fontsource-variable/ibm-plex-sans';
import '@fontsource/ibm-plex-mono/400.css';
import '@fontsource/ibm-plex-mono/600.css';
import './design/tokens.css';
import './design/base.css';
import './design/forms.css';
import './design/table.css';
import { VueQueryPlugin } from '@tanstack/vue-query';
import { createApp } from 'vue';
import App from './App.vue';
import { queryClient } from './api/query-client';
import { createConsoleRouter } from './router';

createApp(App).use(VueQueryPlugin, { queryClient }).use(createConsoleRouter()).mount('#app');
