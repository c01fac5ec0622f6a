/* One map of the wall as a PNG in print size, made by Plotly in the browser: no server needs a browser of its own. */
"use strict"

const wallPicture = (() => {
  const [WIDTH, HEIGHT, HEAD, SCALE] = [1280, 1044, 96, 3] // px; three times as many in the file: sharp on paper of A3

  const FACES = 400 // ms for a face to be read

  /** Save map `number` as it is shown now, with its title, day and note. */
  async function save(number) {
    const panel = document.querySelector(`[data-panel="${number}"]`), shown = panel.querySelector("[data-map]")
    const { layout, k } = resized(shown.layout)
    const data = structuredClone(shown.data).map((trace) => enlarged(trace, k))
    layout.title = { text: "" }
    layout.margin = { l: 0, r: 0, t: HEAD, b: 40, pad: 0 }
    layout.paper_bgcolor = getComputedStyle(document.body).backgroundColor
    const own = (layout.annotations ?? []).map((said) => ({ ...said, font: { ...said.font, size: said.font.size * k } }))
    layout.annotations = [...notes(panel), ...own]
    await inline(layout.images)
    layout.images.unshift(ground(number, layout, k))
    const size = { width: WIDTH, height: HEIGHT + HEAD + 40 }
    const svg = await Plotly.toImage({ data, layout: { ...layout, ...size } }, { format: "svg", ...size, imageDataOnly: true })
    const link = document.createElement("a")
    link.href = URL.createObjectURL(await painted(svg.replace(/^<svg[^>]*>/, `$&<style>${await faces()}</style>`), size))
    link.download = `${words(panel, "h2")}-${day()}.png`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 60000)
  }

  /** An SVG as a PNG of three times its size. */
  async function painted(svg, { width, height }) {
    const image = new Image(), canvas = document.createElement("canvas")
    const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }))
    image.src = address
    await image.decode()
    Object.assign(canvas, { width: width * SCALE, height: height * SCALE })
    // The first drawing asks the picture for its faces, and they are not there at once: the last one has them.
    for (const rest of [FACES, FACES, 0]) {
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
      await new Promise((done) => setTimeout(done, rest))
    }
    URL.revokeObjectURL(address)
    return new Promise((done, fail) => canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/png"))
  }

  /** The page's own faces as data: a picture sees none of the page's, and this machine may have no Chinese one. */
  async function faces() {
    const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules].filter((rule) => rule instanceof CSSFontFaceRule).map((rule) => [rule, sheet.href]))
    const texts = await Promise.all(rules.map(async ([rule, base]) => {
      const address = rule.style.getPropertyValue("src").match(/url\("?([^")]+)"?\)/)?.[1]
      const response = await fetch(new URL(address, base)).catch(() => null) // not fetched at set-up: the machine's own face serves
      return response?.ok ? rule.cssText.replace(address, await asData(await response.blob())) : ""
    }))
    return texts.join("")
  }

  /** What lies under the map, as the page draws it, with colours and widths written out. */
  function ground(number, { xaxis: { range: [x0, x1] }, yaxis: { range: [y0, y1] } }, k) {
    const kilometres = k * (x1 - x0) / WIDTH // of a pixel of the page in the picture
    const drawing = document.getElementById("ground").cloneNode(true), shown = document.getElementById("ground")
    shown.style.setProperty("--pixel", document.querySelector(`[data-ground="${number}"]`).style.getPropertyValue("--pixel"))
    for (const [n, path] of [...drawing.children].entries()) {
      const { fill, stroke, strokeWidth } = getComputedStyle(shown.children[n])
      path.setAttribute("style", `fill:${fill};stroke:${stroke};stroke-width:${parseFloat(strokeWidth) * kilometres};stroke-linejoin:round;stroke-linecap:round`)
    }
    shown.style.removeProperty("--pixel")
    const top = wall.state.doc.size[1] - y1
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="${x0} ${top} ${x1 - x0} ${y1 - y0}">${drawing.innerHTML}</svg>`
    return { source: `data:image/svg+xml;base64,${btoa(svg)}`, xref: "x", yref: "y", x: x0, y: y1, sizex: x1 - x0, sizey: y1 - y0, sizing: "stretch", layer: "below", xanchor: "left", yanchor: "top" }
  }

  function resized(layout) {
    const next = structuredClone(layout), k = Math.min(WIDTH / layout.width, HEIGHT / layout.height)
    // The same middle and all that was shown, in the proportions of the file.
    for (const [axis, length] of [["xaxis", WIDTH], ["yaxis", HEIGHT]]) {
      const [low, high] = layout[axis].range, shown = axis === "xaxis" ? layout.width : layout.height
      const half = (((high - low) / shown) * length) / k / 2
      next[axis].range = [(low + high) / 2 - half, (low + high) / 2 + half]
    }
    next.font.size *= k
    return { layout: next, k }
  }

  function enlarged(trace, k) {
    const times = (value) => (Array.isArray(value) ? value.map((v) => v * k) : value * k)
    if (trace.textfont) trace.textfont.size = times(trace.textfont.size)
    if (trace.line?.width) trace.line.width = times(trace.line.width)
    if (trace.marker?.size) trace.marker.size = times(trace.marker.size)
    if (trace.marker?.line?.width) trace.marker.line.width = times(trace.marker.line.width)
    return trace
  }

  const words = (panel, selector) => panel.querySelector(selector)?.textContent.replace(/\s+/g, " ").trim() ?? ""
  const day = () => document.querySelector("[data-as-of]").textContent.trim()

  function notes(panel) {
    const style = getComputedStyle(document.body), soft = getComputedStyle(panel.querySelector("header p")).color
    const made = (text, x, y, size, color, xanchor, family = style.fontFamily) => ({ text, x, y, xref: "paper", yref: "paper", showarrow: false, xanchor, yanchor: "middle", font: { size, color, family } })
    const demo = document.querySelector(".demo-mark") ? "演示数据　" : ""
    const top = 1 + HEAD / 2 / HEIGHT, foot = -20 / HEIGHT
    return [
      made(`<b>${words(panel, "h2")}</b>`, 0.02, top, 34, style.color, "left", getComputedStyle(panel.querySelector("h2")).fontFamily),
      made(`${demo}${document.querySelector("[data-day-label]").textContent} ${day()}`, 0.98, top + 0.016, 20, style.color, "right"),
      made(words(panel, "[data-note]"), 0.98, top - 0.016, 16, soft, "right"),
      made(words(panel, ".source-text"), 0.02, foot, 14, soft, "left"),
    ]
  }

  /** Pictures as data: a picture made from another file would not be drawn. */
  async function inline(images) {
    for (const image of images) image.source = await asData(await (await fetch(image.source)).blob())
  }

  function asData(blob) {
    return new Promise((done) => {
      const reader = new FileReader()
      reader.onload = () => done(reader.result)
      reader.readAsDataURL(blob)
    })
  }

  for (const button of document.querySelectorAll("[data-picture]")) {
    button.addEventListener("click", async () => {
      button.disabled = true
      await save(button.dataset.picture).catch(() => alert("没有生成图片：请等地图画完后再试。"))
      button.disabled = false
    })
  }
  // A table or layer is that of the day shown; of a day to come there is none, so then of the day of the data.
  for (const link of document.querySelectorAll("[data-exports] a")) {
    link.addEventListener("click", () => {
      const address = new URL(link.href), { doc, week, county } = window.wall.state
      if (!doc) return
      address.searchParams.set("as_of", week < doc.week ? wallDerive.dayOf(doc, week) : doc.as_of)
      if (county && !address.pathname.includes("counties")) address.searchParams.set("county", doc.counties.code[doc.counties.name.indexOf(county)])
      else address.searchParams.delete("county")
      link.href = address.href
    })
  }
  return { save }
})()
