// One or two pictures, enlarged alike: under a slider, side by side, or blinking.

import { h, $ } from './dom.js';
import { pictureURL } from './api.js';

export class Compare {
  // hover is told of a point of the first picture, 0..1, or null.
  constructor(box, hover) {
    this.box = box;
    this.hover = hover;
    this.mode = 'slider';
    this.cut = 0.5;
    this.zoom = 1;
    this.at = [0.5, 0.5]; // what is in the middle
    this.box.tabIndex = 0;
    this.box.setAttribute('role', 'application');
    this.listen();
    new ResizeObserver(() => this.place()).observe(box);
  }

  show(names, mode = this.mode) {
    clearInterval(this.timer);
    if (this.names?.[0] !== names[0]) { this.zoom = 1; this.at = [0.5, 0.5]; }
    this.names = names;
    this.mode = mode;
    this.box.dataset.mode = names.length > 1 ? mode : 'one';
    this.frames = names.map((name, i) => h('div', { class: 'frame' + (i ? ' second' : '') },
      h('img', { src: pictureURL(name), alt: name, draggable: 'false', onload: () => this.place() })));
    this.handle = names.length > 1 && mode === 'slider' ? h('div', { class: 'handle', role: 'slider', tabindex: 0, 'aria-label': 'Where the first picture ends', 'aria-valuemin': 0, 'aria-valuemax': 100 }) : '';
    this.mark = h('div', { class: 'where', hidden: true });
    this.box.replaceChildren(...this.frames, this.handle, this.mark);
    this.box.setAttribute('aria-label', names.join(' and '));
    if (names.length > 1 && mode === 'blink') this.timer = setInterval(() => this.blink(), 600);
    this.place();
  }

  blink() { this.frames[1].hidden = !this.frames[1].hidden; }

  // place lays the pictures: each fits its half or the whole, then zoom and place.
  place() {
    if (!this.frames) return;
    const W = this.box.clientWidth, H = this.box.clientHeight, side = this.box.dataset.mode === 'side';
    this.frames.forEach((f, i) => {
      const img = $('img', f);
      if (!img.naturalWidth) return;
      const w = side ? W / 2 : W;
      f.style.left = side && i ? '50%' : '0';
      f.style.width = side ? '50%' : '100%';
      const first = $('img', this.frames[0]);
      const base = first.naturalWidth || img.naturalWidth, baseH = first.naturalHeight || img.naturalHeight;
      const scale = Math.min((w - 16) / base, (H - 16) / baseH) * this.zoom;
      this.scale = scale;
      Object.assign(img.style, { width: `${base * scale}px`, height: `${baseH * scale}px`,
        left: `${w / 2 - this.at[0] * base * scale}px`, top: `${H / 2 - this.at[1] * baseH * scale}px`, imageRendering: scale > 2 ? 'pixelated' : 'auto' });
      if (this.box.dataset.mode === 'slider' && i) f.style.clipPath = `inset(0 0 0 ${100 * this.cut}%)`;
    });
    if (this.handle) {
      this.handle.style.left = `${100 * this.cut}%`;
      this.handle.setAttribute('aria-valuenow', Math.round(100 * this.cut));
    }
  }

  // point is where in the first picture a place of the screen is.
  point(e) {
    const r = $('img', this.frames[0]).getBoundingClientRect();
    const x = (e.clientX - r.left) / r.width, y = (e.clientY - r.top) / r.height;
    return x >= 0 && y >= 0 && x <= 1 && y <= 1 ? [x, y] : null;
  }

  listen() {
    let drag = null;
    this.box.addEventListener('pointerdown', e => {
      this.box.setPointerCapture(e.pointerId);
      const r = this.box.getBoundingClientRect();
      const near = this.handle && Math.abs(e.clientX - r.left - this.cut * r.width) < 24;
      drag = { cut: near, x: e.clientX, y: e.clientY };
    });
    this.box.addEventListener('pointermove', e => {
      if (!this.frames) return;
      if (!drag) { this.hover(this.point(e)); return; }
      if (drag.cut) this.slide((e.clientX - this.box.getBoundingClientRect().left) / this.box.clientWidth);
      else {
        const r = $('img', this.frames[0]).getBoundingClientRect();
        this.at = [this.at[0] - (e.clientX - drag.x) / r.width, this.at[1] - (e.clientY - drag.y) / r.height];
        drag.x = e.clientX;
        drag.y = e.clientY;
        this.place();
      }
    });
    for (const kind of ['pointerup', 'pointercancel']) this.box.addEventListener(kind, () => { drag = null; });
    this.box.addEventListener('pointerleave', () => this.hover(null));
    this.box.addEventListener('wheel', e => { e.preventDefault(); this.enlarge(Math.exp(-e.deltaY / 300), this.point(e)); }, { passive: false });
    this.box.addEventListener('dblclick', () => { this.zoom = this.zoom === 1 ? 1 / (this.scale || 1) : 1; this.at = [0.5, 0.5]; this.place(); });
    this.box.addEventListener('keydown', e => {
      if (e.key === '+' || e.key === '=') this.enlarge(1.25);
      else if (e.key === '-') this.enlarge(0.8);
      else if (e.key === '0') { this.zoom = 1; this.at = [0.5, 0.5]; this.place(); }
      else if (e.key === 'ArrowLeft') this.slide(this.cut - 0.02);
      else if (e.key === 'ArrowRight') this.slide(this.cut + 0.02);
      else return;
      e.preventDefault();
    });
  }

  slide(cut) {
    this.cut = Math.min(1, Math.max(0, cut));
    this.place();
  }

  enlarge(factor, p = null) {
    const zoom = Math.min(32, Math.max(1, this.zoom * factor));
    if (p) {
      const f = this.zoom / zoom; // what is under the pointer stays there
      this.at = [p[0] + (this.at[0] - p[0]) * f, p[1] + (this.at[1] - p[1]) * f];
    }
    this.zoom = zoom;
    if (zoom === 1) this.at = [0.5, 0.5];
    this.place();
  }
}
