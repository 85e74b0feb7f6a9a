import { afterEach, describe, expect, it, vi } from 'vitest';
import { endUploads, uploadsOf } from './overlay-uploads';

afterEach(() => vi.restoreAllMocks());

describe('the uploads of a page that outlives its user’s session', () => {
  it('are shown, and end with the next session', () => {
    const sent = vi.spyOn(XMLHttpRequest.prototype, 'send').mockReturnValue(undefined);
    const page = uploadsOf(1);
    endUploads();
    page.add([{ file: new File(['text'], 'a.cfg'), path: 'a.cfg' }]);
    expect(sent).toHaveBeenCalledOnce();
    expect(uploadsOf(1).uploads).toMatchObject([{ path: 'a.cfg', state: 'sending' }]);
    const aborted = vi.spyOn(XMLHttpRequest.prototype, 'abort');
    endUploads();
    expect(aborted).toHaveBeenCalledOnce();
    expect(page.uploads).toEqual([]);
  });
});
