import { createRouter, createWebHistory } from 'vue-router';
import { onUnauthorized } from './api/client';
import { queryClient } from './api/query-client';
import { authKeys, meOptions } from './auth/queries';
import { safeRedirect } from './auth/redirect';
import type { User } from './users/schema';

const id = ':id(\\d+)';

/** Pages of the panel that are not the console's: Bull board, the API's own. The login may lead to them. */
const servedByTheApi = /^\/(queues|api)(\/|$)/;

/** All pages. Everything but the login needs a logged-in user; `admin` pages say so to others. */
export function createConsoleRouter() {
  const router = createRouter({
    history: createWebHistory(),
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? undefined : { top: 0 }),
    routes: [
      { path: '/login', component: () => import('./auth/LoginPage.vue'), meta: { open: true } },
      { path: '/', redirect: '/servers' },
      { path: '/servers', component: () => import('./servers/ServersPage.vue') },
      {
        path: `/servers/${id}`,
        component: () => import('./servers/ServerPage.vue'),
        props: (route) => ({ id: Number(route.params['id']) }),
      },
      {
        path: '/servers/:name([a-z0-9][a-z0-9-]*)',
        component: () => import('./servers/ServerByName.vue'),
        props: (route) => ({ name: String(route.params['name']) }),
      },
      { path: '/blueprints', component: () => import('./blueprints/BlueprintsPage.vue') },
      { path: '/blueprints/new', component: () => import('./blueprints/BlueprintPage.vue'), props: { id: null } },
      {
        path: `/blueprints/${id}`,
        component: () => import('./blueprints/BlueprintPage.vue'),
        props: (route) => ({ id: Number(route.params['id']) }),
      },
      { path: '/overlays', component: () => import('./overlays/OverlaysPage.vue') },
      {
        path: `/overlays/${id}`,
        component: () => import('./overlays/OverlayPage.vue'),
        props: (route) => ({ id: Number(route.params['id']) }),
      },
      { path: '/jobs', component: () => import('./jobs/JobsPage.vue') },
      {
        path: `/jobs/${id}`,
        component: () => import('./jobs/JobPage.vue'),
        props: (route) => ({ id: Number(route.params['id']) }),
      },
      { path: '/trash', component: () => import('./trash/TrashPage.vue') },
      { path: '/hosts', component: () => import('./hosts/HostsPage.vue') },
      { path: '/host', redirect: '/hosts' },
      { path: '/users', component: () => import('./users/UsersPage.vue'), meta: { admin: true } },
      { path: '/tokens', component: () => import('./tokens/TokensPage.vue') },
      { path: '/secrets', component: () => import('./secrets/SecretsPage.vue') },
      { path: '/account', component: () => import('./auth/AccountPage.vue') },
      { path: '/:rest(.*)*', component: () => import('./design/NotFoundPage.vue') },
      { path: '/:address(.*)*', name: 'admins-only', component: () => import('./design/AdminsOnlyPage.vue') },
    ],
  });

  router.beforeEach(async (to) => {
    if (servedByTheApi.test(to.path)) {
      window.location.assign(to.fullPath);
      return false;
    }
    let user: User | null;
    try {
      user = await queryClient.ensureQueryData(meOptions);
    } catch {
      // The panel does not answer: the page shows that itself, with a retry.
      return true;
    }
    if (to.meta['open']) return user ? safeRedirect(to.query['to']) : true;
    if (!user) return { path: '/login', query: to.path === '/' || to.path === '/servers' ? {} : { to: to.fullPath } };
    if (to.meta['admin'] && user.role !== 'admin') {
      // The address stays, so that an admin to whom it is sent sees what was meant.
      return { name: 'admins-only', params: { address: to.path.slice(1).split('/') }, query: to.query };
    }
    return true;
  });

  const leave = (): void => {
    if (router.currentRoute.value.meta['open']) return;
    queryClient.setQueryData<User | null>(authKeys.me, null);
    void router.push({ path: '/login', query: { to: router.currentRoute.value.fullPath } });
  };
  onUnauthorized(leave);
  return router;
}
