/* A screen on a wall (`?kiosk=40`): the views take turns, the page reloads itself by night and on a new release, but never
   into a server that does not answer: the last picture stays, with its age. Who touches it has it for two minutes. */
"use strict"

const wallKiosk = (() => {
  const seconds = Number(document.body.dataset.kiosk)
  const PAUSE = 120000 // ms of rest after a touch or a key
  const NIGHT = 3 // the hour of the nightly reload, from a minute of its own on: a look that comes late or finds no server has the rest of the hour
  const minute = Math.floor(60 * Math.random())
  const began = Date.now()
  let turn = -1, county = -1, pausedUntil = 0, isAsking = false

  /** Everything, each map alone, then one county after the other; the time is played once a round. */
  function next() {
    if (!wall.state.doc || Date.now() < pausedUntil) return
    turn = (turn + 1) % 5
    wall.stop()
    if (turn === 0) {
      wall.look({ focus: "", county: "" })
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) wall.play()
    } else if (turn < 4) wall.look({ focus: String(turn), county: "" })
    else wall.look({ focus: "", county: nextCounty() })
  }

  function nextCounty() {
    const { doc } = wall.state, present = new Set(wallDerive.board(doc, doc.week).map((row) => row.name)), names = doc.counties.name.filter((name) => present.has(name))
    county = (county + 1) % Math.max(names.length, 1)
    return names[county] ?? ""
  }

  /** Reload when the server gives the page: never into an error or a login that nobody can type. */
  async function reload() {
    if (isAsking) return
    isAsking = true
    try {
      const response = await fetch(location.href, { redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(20000) })
      if (response.status === 200) return location.reload()
    } catch { /* later */ }
    isAsking = false
  }

  function look() {
    const now = new Date(), isNight = now.getHours() === NIGHT && now.getMinutes() >= minute && Date.now() - began > 3600000
    const isOld = wall.state.doc && wall.state.doc.release !== document.body.dataset.release
    if (isNight || isOld) reload()
  }

  function start() {
    document.body.classList.add("is-kiosk")
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { pausedUntil = Date.now() + PAUSE }, { capture: true, passive: true })
    setInterval(next, seconds * 1000)
    setInterval(look, 60000)
    document.addEventListener("wall:data", look)
    stayAwake()
  }

  /** Where the browser can (https): the screen does not go dark. */
  async function stayAwake() {
    try { await navigator.wakeLock?.request("screen") } catch { /* the machine's own settings decide */ }
  }

  if (seconds) document.addEventListener("DOMContentLoaded", start)
  return { next, turn: () => turn }
})()
