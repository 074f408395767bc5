// Jobs and results: what is being painted, what waits, what came out; and the
// pane that shows one of them.

import { h, $, tellProblem, thumb, title, spanOf } from './dom.js';
import { getJSON, postJSON, pictureURL } from './api.js';

export class Strip {
  constructor(app) {
    this.app = app;
    this.box = $('#strip');
    this.jobs = new Map();
    this.results = [];
    this.shown = null; // {job: id} or {name}
  }

  setJobs(list) {
    this.jobs = new Map(list.map(j => [j.id, j]));
    this.draw();
  }

  hear(j) {
    const old = this.jobs.get(j.id);
    this.jobs.set(j.id, j);
    if (!old || old.state !== j.state) {
      this.draw();
      if (j.state === 'done' && this.shown?.job === j.id) this.show({ name: j.output });
      if (j.state === 'failed') tellProblem(new Error(j.error));
    } else {
      this.touch(j);
    }
    if (this.shown?.job === j.id) this.drawPane();
  }

  async refresh() {
    this.results = await getJSON('/api/gallery');
    this.draw();
    this.app.gallery?.taken(this.results);
  }

  get open() { return [...this.jobs.values()].filter(j => j.state !== 'done').sort((a, b) => a.order - b.order); }

  touch(j) {
    const card = $(`[data-job="${j.id}"]`, this.box);
    if (!card) return;
    $('progress', card).value = j.fraction;
    $('.what', card).textContent = this.words(j);
    const img = $('img', card);
    if (j.preview && img.dataset.at !== String(j.preview)) { img.dataset.at = j.preview; img.src = `/api/jobs/${j.id}/view?v=${j.preview}`; }
  }

  words(j) {
    if (j.state === 'running') {
      const m = j.moment;
      return `${Math.round(100 * j.fraction)} %${m?.eta_s > 0 ? ` · ${spanOf(m.eta_s)} left` : ''}`;
    }
    return { queued: 'waits', paused: 'paused', failed: 'failed' }[j.state] ?? j.state;
  }

  draw() {
    const jobs = this.open.map(j => h('button', { class: 'shot job ' + j.state, 'data-job': j.id, onclick: () => this.show({ job: j.id }), 'aria-label': `${j.output}, ${this.words(j)}`,
      'aria-pressed': String(this.shown?.job === j.id) },
    h('img', { alt: '', width: 96, height: 66, src: j.preview ? `/api/jobs/${j.id}/view?v=${j.preview}` : '/web/icon.svg', 'data-at': j.preview || '' }),
    h('progress', { value: j.fraction, max: 1 }), h('span', { class: 'what' }, this.words(j))));
    const results = this.results.slice(0, 60).map(r => h('button', { class: 'shot', onclick: () => this.show({ name: r.name }), title: r.name,
      'aria-pressed': String(this.shown?.name === r.name) },
    h('img', { alt: '', loading: 'lazy', width: 96, height: 66, src: thumb(r.name, 192, r.changed) }), h('span', { class: 'what' }, title(r.name))));
    this.box.replaceChildren(...jobs, ...results,
      jobs.length + results.length ? '' : h('p', { class: 'empty' }, 'What you paint appears here.'));
  }

  show(what) {
    this.shown = what;
    document.body.classList.add('has-picture');
    this.kept = null;
    this.draw();
    this.drawPane();
  }

  // drawPane shows a job as it is painted, or a finished picture.
  drawPane() {
    const j = this.shown?.job && this.jobs.get(this.shown.job), box = $('#picture-box'), does = $('#picture-does');
    const name = this.shown?.name;
    if (!j && !name) { box.replaceChildren(); return; }
    const key = j ? 'job ' + j.id + j.state : name;
    $('#picture-title').textContent = j ? (j.state === 'running' ? 'Preview' : 'Picture') : title(name);
    $('#picture-title').title = name ?? j.output;
    document.body.classList.toggle('is-preview', !!j);
    if (this.kept !== key) {
      this.kept = key;
      const ask = (what, label) => h('button', { onclick: () => postJSON(`/api/jobs/${what}`, { id: j.id }).catch(tellProblem) }, label);
      does.replaceChildren(...(j ? {
        running: [ask('pause', 'Pause'), ask('keep', 'Stop and keep')], queued: [ask('pause', 'Hold')],
        paused: [ask('resume', 'Resume'), ask('forget', 'Remove')], failed: [ask('resume', 'Try again'), ask('forget', 'Remove')],
      }[j.state] ?? [] : [
        h('button', { onclick: () => this.app.gallery.open(name) }, 'Look closer'),
        h('button', { title: 'Set every control as it was for this picture', onclick: () => this.app.takeRecipeOf(name) }, 'Its settings'),
        h('button', { title: 'Start from this picture instead of noise', onclick: () => this.app.paintOver(name) }, 'Paint over')]));
      if (!j) box.replaceChildren(h('img', { src: pictureURL(name) + '&v=' + (this.results.find(r => r.name === name)?.changed ?? ''), alt: `The picture ${title(name)}` }));
      else box.replaceChildren(h('img', { alt: 'What is being painted, as it is now', hidden: !j.preview }), h('span', { class: 'stamp' }, j.state === 'running' ? 'Preview' : this.words(j)));
    }
    if (j) {
      const img = $('img', box);
      if (j.preview && img.dataset.at !== String(j.preview)) { img.hidden = false; img.dataset.at = j.preview; img.src = `/api/jobs/${j.id}/view?v=${j.preview}`; }
    }
    this.drawFoot(j);
  }

  drawFoot(j) {
    const foot = $('#picture-facts');
    if (!j) { foot.replaceChildren(); return; }
    const m = j.moment;
    const facts = m ? `${this.words(j)} · scale ${m.scale} of ${m.scales}, ${m.width}×${m.height} · iteration ${m.iter} of ${m.iters}${j.saved ? ` · saved ${spanOf((Date.now() - j.saved) / 1000)} ago` : ''}` : j.error || this.words(j);
    if (!$('canvas', foot)) foot.replaceChildren(h('canvas', { width: 300, height: 44, role: 'img', 'aria-label': 'Loss curve' }), h('p', {}));
    $('p', foot).textContent = facts;
    curve($('canvas', foot), j.curve ?? []);
  }
}

// curve draws the total loss, on a logarithmic scale.
function curve(canvas, values) {
  const w = canvas.width = Math.max(50, canvas.clientWidth * devicePixelRatio), hgt = canvas.height = Math.max(20, canvas.clientHeight * devicePixelRatio);
  const c = canvas.getContext('2d'), logs = values.filter(v => v > 0).map(Math.log);
  if (logs.length < 2) return;
  const low = Math.min(...logs), high = Math.max(...logs, low + 1e-6);
  c.strokeStyle = getComputedStyle(canvas).color;
  c.lineWidth = 1.5 * devicePixelRatio;
  c.beginPath();
  logs.forEach((v, i) => c.lineTo(i / (logs.length - 1) * w, (1 - (v - low) / (high - low)) * (hgt - 4) + 2));
  c.stroke();
}
