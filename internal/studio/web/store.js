// Steps of the document, kept in the browser as they are made: a reload, a crash
// or a dead server loses nothing that was finished, and undo goes on.

const DB = 'impasto-studio';

const done = request => new Promise((ok, no) => { request.onsuccess = () => ok(request.result); request.onerror = () => no(request.error); });

export class Store {
  // open returns null where another tab has the document, or the browser keeps nothing.
  static async open() {
    if (!globalThis.indexedDB) return null;
    if (navigator.locks) {
      const mine = await new Promise(ok => {
        navigator.locks.request(DB, { ifAvailable: true }, lock => {
          ok(!!lock);
          return lock && new Promise(() => {}); // as long as the page lives
        });
      });
      if (!mine) return null;
    }
    const request = indexedDB.open(DB, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('steps');
      request.result.createObjectStore('meta');
    };
    try { return new Store(await done(request)); } catch { return null; }
  }

  constructor(db) {
    this.db = db;
    this.failed = () => {};
  }

  async read() {
    const t = this.db.transaction(['steps', 'meta']);
    const [steps, at] = await Promise.all([done(t.objectStore('steps').getAll()), done(t.objectStore('meta').get('at'))]);
    return { steps, at: at ?? steps.length };
  }

  // append keeps step n in place of all that were undone.
  append(n, step) {
    this.write(t => {
      t.objectStore('steps').delete(IDBKeyRange.lowerBound(n));
      t.objectStore('steps').put(step, n);
      t.objectStore('meta').put(n + 1, 'at');
    });
  }

  moved(at) { this.write(t => t.objectStore('meta').put(at, 'at')); }

  clear() {
    this.write(t => {
      t.objectStore('steps').clear();
      t.objectStore('meta').put(0, 'at');
    });
  }

  write(f) {
    try {
      const t = this.db.transaction(['steps', 'meta'], 'readwrite');
      t.onerror = t.onabort = () => this.failed();
      f(t);
      t.commit?.();
    } catch { this.failed(); }
  }
}
