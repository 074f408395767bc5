// Small helpers for the page. Text is only ever set as text, never as HTML: names
// of files and regions come from people.

export const $ = (selector, within = document) => within.querySelector(selector);

// h makes an element: h('button', {class: 'x', onclick: f, 'aria-label': 'y'}, 'text', child).
export function h(tag, props = {}, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith('on')) e.addEventListener(k.slice(2), v);
    else if (k === 'value' || k === 'checked' || k === 'disabled' || k === 'open') e[k] = v;
    else e.setAttribute(k, v === true ? '' : v);
  }
  e.append(...children.flat().filter(c => c !== null && c !== undefined && c !== false));
  return e;
}

// icon draws one of the symbols of icons.svg.
export function icon(name) {
  const ns = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg'), use = document.createElementNS(ns, 'use');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', '/web/icons.svg#' + name);
  svg.append(use);
  return svg;
}

// say shows a message for a while, and to screen readers. action: [text, f].
export function say(message, { bad = false, action = null, hints = [] } = {}) {
  const box = $('#messages');
  const old = [...box.children].find(e => e.dataset.text === message);
  if (old) old.remove();
  const close = () => e.remove();
  const e = h('div', { class: bad ? 'message bad' : 'message', 'data-text': message },
    h('p', {}, message, hints.map(t => h('span', { class: 'hint' }, t))),
    action && h('button', { onclick: () => { close(); action[1](); } }, action[0]),
    h('button', { class: 'quiet', 'aria-label': 'Close this message', onclick: close }, '×'));
  box.append(e);
  while (box.children.length > 4) box.firstChild.remove();
  setTimeout(close, bad ? 15000 : 7000);
}

// tellProblem shows what a request was refused with.
export function tellProblem(err) {
  const list = err.problems ?? [{ message: String(err.message ?? err) }];
  for (const p of list) say(p.message, { bad: true, hints: p.try ?? [] });
}

export const spanOf = s => s < 90 ? `${Math.max(1, Math.round(s))} s` : s < 5400 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`;

// title is how a picture is called on the page.
export const title = name => name.replace(/^sample:/, '').replace(/\.[a-z]+$/i, '');

export const thumb = (name, side, stamp = 0) => `/api/thumb?name=${encodeURIComponent(name)}&side=${side}&v=${stamp}`;

export function debounce(f, ms) {
  let timer;
  return (...args) => { clearTimeout(timer); timer = setTimeout(() => f(...args), ms); };
}
