/* The wall of a list too long for a button each (projects/wall_counts.py): counts per county and week in their stead, one picture of
   all sites, and a county's own projects when it is opened. Also the weeks of projects that have left the list since. */
"use strict"

const wallDensity = (() => {
  const LEVELS = ["total", "started", "finished"]
  const NOW = ["started_now", "finished_now"]
  const STAGES = ["3", "2", "1"] // from the left of a bar, and from below
  const MOST_COLUMNS = 36 // of the board in one row: more could not be read
  const LEAST_PITCH = 17 // px between buttons that still carry a number

  /** The document as the page works with it: changes summed up; in past weeks those who were on the list then. */
  function taken(doc) {
    for (const [name, column] of Object.entries(doc.former)) doc.projects[name] = doc.projects[name].concat(column)
    doc.projects.joined_week = joined(doc.projects)
    if (doc.is_dense) Object.assign(doc, { counts: summed(doc.counts), every: 1, drilled: "" })
    return doc
  }

  /** Since which week each row's project stands on the list without a gap, here or in the county that it came from. */
  function joined({ code, listed_week: listed, delisted_week: delisted }) {
    const before = new Map() // by code and last week: where it stood longest
    const key = (i, week) => `${code[i]} ${week}`
    for (const i of code.keys()) {
      const other = before.get(key(i, delisted[i]))
      if (delisted[i] !== null && (other === undefined || listed[i] < listed[other])) before.set(key(i, delisted[i]), i)
    }
    return [...code.keys()].map((i) => {
      let first = i, earlier
      while ((earlier = before.get(key(i, listed[first]))) !== undefined && listed[earlier] < listed[first]) first = earlier
      return listed[first]
    })
  }

  function summed(counts) {
    const found = { ...counts, domains: counts.domains.map(running), whole: {} }
    for (const name of LEVELS) found[name] = counts[name].map(running)
    for (const name of [...LEVELS, ...NOW]) found.whole[name] = found[name].reduce((sum, row) => sum.map((n, week) => n + row[week]))
    return found
  }

  function running(changes) {
    let sum = 0
    return changes.map((change) => (sum += change))
  }

  // ── figures: what wall_derive.js answers for a list of indexes ────────────────────────────────────────────────────
  /** Indexes of the projects that are here: of the opened county, once they have come. They remember whose they are. */
  function members(doc, county) {
    return Object.assign(county && county === doc.drilled ? [...doc.projects.code.keys()] : [], { county })
  }

  function counts(doc, { county }, week) {
    const { counts: all } = doc, row = county ? doc.counties.name.indexOf(county) : -1
    const at = (name) => (row < 0 ? all.whole[name][week] : all[name][row][week])
    const money = row < 0 ? all : (doc.money ?? {})
    return {
      total: at("total"), not_started: at("total") - at("started"), under_construction: at("started") - at("finished"), finished: at("finished"),
      started_now: at("started_now"), finished_now: at("finished_now"),
      investment: money.investment?.[week] ?? null, finished_investment: money.finished_investment?.[week] ?? null,
    }
  }

  function series(doc, { county }) {
    const weeks = [...Array(doc.last_week + 1).keys()], stages = { 1: [], 2: [], 3: [] }
    for (const week of weeks) {
      const sum = counts(doc, { county }, week)
      stages[1].push(sum.not_started)
      stages[2].push(sum.under_construction)
      stages[3].push(sum.finished)
    }
    return { weeks, stages }
  }

  /** Rows of the board, in the order of the pack. */
  function board(doc, week) {
    return doc.counties.name.map((name, position) => {
      const sum = counts(doc, { county: name }, week)
      return { name, short: doc.counties.short[position], position, own: [], finished: sum.finished, count: sum.total }
    })
  }

  /** How many projects of a domain are shown: of the whole, or of an opened county when all of them are here. */
  function domainCount(doc, county, domain, week) {
    if (!county) return doc.counts.domains[domain][week]
    if (doc.every > 1 || county !== doc.drilled) return "…"
    return members(doc, county).filter((i) => doc.projects.domain[i] === doc.domains[domain] && wallDerive.stageAt(doc, i, week)).length
  }

  // ── a county opened ───────────────────────────────────────────────────────────────────────────────────────────────
  /** Bring the projects of the county that `state` shows, then draw again; while they come the counts are there already. */
  async function drill(state, redraw) {
    const { doc, county } = state
    if (!doc.is_dense || doc.asked === county) return
    doc.asked = county
    put(doc, { county: "", every: 1, projects: Object.fromEntries(Object.keys(doc.projects).map((name) => [name, []])) })
    if (!county) return
    const address = new URL(document.body.dataset.countyAddress, location.href)
    address.searchParams.set("county", doc.counties.code[doc.counties.name.indexOf(county)])
    address.searchParams.set("as_of", doc.as_of)
    try {
      const response = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(20000) })
      if (!response.ok) throw new Error(response.status)
      const found = await response.json()
      if (state.doc !== doc || state.county !== county) return
      put(doc, found)
    } catch {
      doc.asked = null // asked again with the next drawing
      return
    }
    redraw()
  }

  function put(doc, found) {
    doc.projects = { ...found.projects, joined_week: found.projects.listed_week }
    Object.assign(doc, { drilled: found.county, every: found.every, money: found.counts })
  }

  /** Whether each project that is shown is here by itself, so that it may wear a colour. */
  function isEach(doc, county) {
    return !doc.is_dense || (county && county === doc.drilled && doc.every === 1)
  }

  // ── maps ──────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** Map 1: the picture of all sites under the names and counts of the counties; of one county its own sites. */
  function drawSites({ trace, layout }, doc, figures, view, own) {
    const isHere = view.county && doc.drilled === view.county
    if (!isHere) layout.images.push(picture(doc))
    if (!isHere && view.week !== doc.week) layout.annotations = [pictureDay(doc, trace.counties.textfont, view)]
    if (!view.county) plates(trace, doc, "title_1", (row) => row.count, view)
    if (!isHere) return []
    const { k } = view.frame, p = doc.projects
    const shown = own.filter((i) => p.x[i] !== null && wallDerive.stageAt(doc, i, view.week))
    trace.discs.x = shown.map((i) => p.x[i])
    trace.discs.y = shown.map((i) => p.y[i])
    trace.discs.mode = "markers"
    const share = Math.min(1, 14 / Math.sqrt(shown.length + 1)), marks = shown.map((i) => wallMaps.markOf(doc, figures, view, i))
    const faint = shown.map((i) => view.domain && p.domain[i] !== view.domain)
    Object.assign(trace.discs.marker, { size: Math.max(4, 9 * k * share), opacity: faint.map((is) => (is ? 0.16 : 0.9)) })
    if (marks[0]) {
      const size = marks.map((m) => Math.max(7, 0.6 * m.size * k * share))
      Object.assign(trace.discs.marker, { symbol: marks.map((m) => m.symbol), color: marks.map((m) => m.color), size })
    }
    return shown.map((i) => ({ kind: "project", index: i, x: p.x[i], y: p.y[i], radius: 8 * k }))
  }

  /** The picture is that of the day of the data, also while another week is shown: it says so. */
  function pictureDay(doc, { color }, { frame: { k } }) {
    return { text: `点位图为 ${doc.as_of} 的清单`, xref: "paper", yref: "paper", x: 0.99, y: 0.99, xanchor: "right", yanchor: "top", showarrow: false, font: { size: Math.max(12, 17 * k), color } }
  }

  function picture(doc) {
    const address = new URL(document.body.dataset.density, location.href)
    address.searchParams.set("theme", document.documentElement.dataset.theme)
    address.searchParams.set("as_of", doc.as_of)
    address.searchParams.set("v", doc.density)
    const [width, height] = doc.size
    return { source: address.pathname + address.search, xref: "x", yref: "y", x: 1e-6, y: height, sizex: width, sizey: height, sizing: "stretch",
      layer: "below", xanchor: "left", yanchor: "top" } // two images in one place would be taken for one
  }

  /** The counties' names with a figure each, and the lines to those that stand beside. */
  function plates(trace, doc, column, figure, view) {
    const c = doc.counties, rows = board(doc, view.week)
    trace.counties.x = c[column].map((place) => place[0])
    trace.counties.y = c[column].map((place) => place[1])
    trace.counties.text = rows.map((row) => `${row.short} <b>${figure(row)}</b>`)
    const led = c.leader_2.filter(Boolean)
    trace.leaders.x = led.flatMap(([a, b]) => [a[0], b[0], null])
    trace.leaders.y = led.flatMap(([a, b]) => [a[1], b[1], null])
    const dots = trace.anchors ?? trace.sites
    dots.x = led.map(([a]) => a[0])
    dots.y = led.map(([a]) => a[1])
  }

  /** Map 2: a bar of the stages per county; of one county its magnets in rows. */
  function drawMagnets(figure, doc, figures, view, own) {
    if (view.county) return drawRows(figure, doc, figures, view, own)
    const { trace, data } = figure, { k } = view.frame, c = doc.counties
    plates(trace, doc, "title_2", (row) => (row.count ? `${Math.round((100 * row.finished) / row.count)}%` : "—"), view)
    for (const stage of STAGES) data.push(bar(doc, stage, figures.stages[stage].color, 8 * k, view))
    return c.code.map((_, n) => ({ kind: "county", index: n, x: c.title_2[n][0], y: c.title_2[n][1], radius: 22 * k }))
  }

  function bar(doc, stage, color, width, { week }) {
    const x = [], y = []
    doc.counties.bar_2.forEach(([left, right, height], n) => {
      const [from, to] = share(counts(doc, { county: doc.counties.name[n] }, week), stage)
      if (to > from) { x.push(left + (right - left) * from, left + (right - left) * to, null); y.push(height, height, null) }
    })
    const opacity = week > doc.week ? 0.6 : 1
    return { type: "scatter", mode: "lines", name: `bar-${stage}`, x, y, opacity, hoverinfo: "skip", line: { width, color, simplify: false } }
  }

  /** Where a stage begins and ends in a bar of length 1: finished first. */
  function share({ total, under_construction: under, finished }, stage) {
    if (!total) return [0, 0]
    const ends = { 3: [0, finished], 2: [finished, finished + under], 1: [finished + under, total] }
    return ends[stage].map((n) => n / total)
  }

  function drawRows({ trace }, doc, figures, view, own) {
    const { frame: at } = view, p = doc.projects, c = doc.counties
    const shown = own.filter((i) => wallDerive.stageAt(doc, i, view.week))
    const pitch = Math.min(25 * at.k, Math.sqrt((0.6 * at.width * at.height) / Math.max(shown.length, 1)))
    const most = Math.floor((0.94 * at.width) / pitch) // a block in the proportions of the map, as wide as it may be
    const columns = Math.max(1, Math.min(most, Math.ceil(Math.sqrt((shown.length * at.width) / at.height)))), rows = Math.ceil(shown.length / columns)
    const middle = [(at.x[0] + at.x[1]) / 2, (at.y[0] + at.y[1]) / 2], step = pitch / at.scale
    const place = (n) => [middle[0] + ((n % columns) - (columns - 1) / 2) * step, middle[1] - (Math.floor(n / columns) - (rows - 1) / 2) * step]
    const stages = shown.map((i) => figures.stages[wallDerive.stageAt(doc, i, view.week)]), places = shown.map((_, n) => place(n))
    trace.magnets.x = places.map((at) => at[0])
    trace.magnets.y = places.map((at) => at[1])
    const isNumbered = pitch >= LEAST_PITCH
    trace.magnets.mode = isNumbered ? "markers+text" : "markers"
    trace.magnets.text = isNumbered ? shown.map((i) => String(p.number[i] ?? p.code[i].replace(/^.*-0*/, ""))) : []
    const digits = trace.magnets.textfont.size * (pitch / (25 * at.k))
    trace.magnets.textfont.size = trace.magnets.text.map((text) => digits * Math.min(1, 3 / text.length))
    trace.magnets.textfont.color = stages.map((s) => s.digit)
    const faint = shown.map((i) => view.domain && p.domain[i] !== view.domain)
    Object.assign(trace.magnets.marker, {
      symbol: stages.map((s) => s.symbol), color: stages.map((s) => s.color), size: stages.map((s) => (s.size * pitch) / 25),
      opacity: faint.map((is) => (is ? 0.16 : view.week > doc.week ? 0.6 : 1)),
    })
    trace.magnets.marker.line.width = 0
    const words = doc.drilled !== view.county ? "正在读取" : doc.every > 1 ? `每枚代表 ${doc.every} 个项目` : ""
    trace.counties.x = [middle[0]]
    trace.counties.y = [middle[1] + (rows / 2 + 0.7) * step]
    trace.counties.text = [`${c.short[c.name.indexOf(view.county)]} ${words}`]
    return shown.map((i, n) => ({ kind: "project", index: i, x: places[n][0], y: places[n][1], radius: Math.max(pitch / 2, 5) }))
  }

  // ── board ─────────────────────────────────────────────────────────────────────────────────────────────────────────
  /** The counties as bars in the page, in as many rows as can be read. False when a board of magnets is what fits. */
  function showBoard(panel, state, rows) {
    const isMine = state.doc.is_dense || rows.length > MOST_COLUMNS, chart = panel.querySelector(".chart")
    panel.classList.toggle("is-counted", isMine)
    let box = chart.querySelector(".county-bars")
    if (!isMine || state.county) { box?.remove(); return isMine && !state.county }
    if (!box) chart.append((box = document.createElement("div")))
    box.className = "county-bars"
    const lanes = Math.ceil(rows.length / MOST_COLUMNS)
    box.style.setProperty("--columns", Math.max(Math.ceil(rows.length / lanes), 6))
    while (box.childElementCount > rows.length) box.lastChild.remove()
    while (box.childElementCount < rows.length) box.append(emptyBar())
    rows.forEach((row, n) => fill(box.children[n], row, sumOf(state.doc, row, state.week)))
    return true
  }

  function sumOf(doc, row, week) {
    if (doc.is_dense) return counts(doc, { county: row.name }, week)
    return wallDerive.counts(doc, row.own, week)
  }

  function emptyBar() {
    const made = document.createElement("button")
    made.type = "button"
    made.innerHTML = '<i><s class="bar-1"></s><s class="bar-2"></s><s class="bar-3"></s></i><b></b><span></span>'
    return made
  }

  function fill(bar, row, sum) {
    bar.dataset.county = row.name
    const [red, green, blue] = bar.querySelectorAll("s")
    red.style.flexGrow = sum.not_started
    green.style.flexGrow = sum.under_construction
    blue.style.flexGrow = sum.finished
    const rate = `${Math.round((100 * sum.finished) / Math.max(sum.total, 1))}%`
    bar.querySelector("b").textContent = row.short
    bar.querySelector("span").textContent = rate
    bar.setAttribute("aria-label", `${row.name}，共${sum.total}个，前期${sum.not_started}个，开工${sum.under_construction}个，完工${sum.finished}个，完工率${rate}，点开只看本县（市、区）`)
  }

  return { taken, isEach, members, counts, series, board, domainCount, drill, drawers: [drawSites, drawMagnets], showBoard }
})()
