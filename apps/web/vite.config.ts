import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';

const api = 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [vue()],
  server: {
    proxy: {
      '/api': { target: api, ws: true },
      '/health': api,
      '/queues': api,
    },
  },
  build: { target: 'es2023', sourcemap: true, chunkSizeWarningLimit: 700 },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.spec.ts'],
    restoreMocks: true,
  },
});
