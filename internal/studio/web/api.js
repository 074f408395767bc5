// What the page asks of its server.

export class Refused extends Error {
  constructor(status, problems) {
    super(problems.map(p => p.message).join('; '));
    this.status = status;
    this.problems = problems;
  }
}

async function ask(path, options) {
  let r;
  try {
    r = await fetch(path, options);
  } catch {
    throw new Refused(0, [{ message: 'the server does not answer; what you paint is kept in this browser' }]);
  }
  if (!r.ok) {
    let list = [{ message: `the server answered ${r.status}` }];
    try { list = (await r.json()).errors ?? list; } catch { /* no JSON */ }
    if (r.status === 401) dispatchEvent(new CustomEvent('locked'));
    throw new Refused(r.status, list);
  }
  return r;
}

export const getJSON = path => ask(path).then(r => r.json());

export const postJSON = (path, body) => ask(path, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
}).then(r => r.json());

export const postFile = (path, file) => ask(path, { method: 'POST', body: file }).then(r => r.json());

// A map travels as the length of a JSON header, the header, and labels; see maps.go.
function wire(header, ...labels) {
  const text = new TextEncoder().encode(JSON.stringify(header));
  return new Blob([Uint32Array.of(text.length), text, ...labels]);
}

async function unwire(response) {
  const data = await response.arrayBuffer();
  const n = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, n)));
  return { name: header.name, w: header.width, h: header.height, regions: header.regions, notes: header.notes ?? [], labels: new Uint8Array(data, 4 + n) };
}

const q = encodeURIComponent;

export const readMap = name => ask(`/api/map?name=${q(name)}`).then(unwire);
export const importMap = file => ask(`/api/map/import?name=${q(file.name)}`, { method: 'POST', body: file }).then(unwire);
export const derive = (name, regions) => ask('/api/map/derive', {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name, regions }),
}).then(unwire);
export const saveMap = m => ask('/api/map', { method: 'PUT', body: wire(m.header, m.labels) }).then(r => r.json());
export const mapPNG = m => ask('/api/map/png', { method: 'POST', body: wire(m.header, m.labels) }).then(r => r.blob());

// two maps that are looked at together
function pair(canvas, painting, more = {}) {
  const header = { canvas: canvas.header, painting: painting?.header ?? null, ...more };
  return wire(header, canvas.labels, ...(painting ? [painting.labels] : []));
}
export const lint = (canvas, painting) => ask('/api/map/lint', { method: 'POST', body: pair(canvas, painting) }).then(r => r.json());
export const mend = (canvas, painting, f) =>
  ask('/api/map/mend', { method: 'POST', body: pair(canvas, painting, { side: f.side, code: f.code, region: f.region ?? '' }) }).then(unwire);

export const superpixels = (name, w, h, cells) =>
  ask(`/api/superpixels?name=${q(name)}&width=${w}&height=${h}&cells=${cells}`).then(r => r.arrayBuffer()).then(b => new Uint16Array(b));

export const pictureURL = name => `/api/picture?name=${q(name)}`;

// listen follows the server's events; on says what to do with each kind. The
// browser connects again by itself, and back is called when it has.
export function listen(on, back) {
  const source = new EventSource('/api/events');
  let lost = false;
  source.onopen = () => { dispatchEvent(new CustomEvent('connected', { detail: true })); if (lost) back(); lost = false; };
  source.onerror = () => {
    lost = true;
    dispatchEvent(new CustomEvent('connected', { detail: false }));
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(on, back), 3000);
  };
  for (const [kind, f] of Object.entries(on)) source.addEventListener(kind, e => f(JSON.parse(e.data)));
}
