/* Small habits of every page: the as-of date navigates at once, a failed htmx request says so, figures are drawn. */

document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-as-of]")
  if (!form) return
  const address = new URL(location.href)
  address.searchParams.set("as_of", event.target.value)
  if (!event.target.value || event.target.value === event.target.max) address.searchParams.delete("as_of")
  address.searchParams.delete("page")
  location.assign(address)
})

for (const kind of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(kind, ({ detail }) => {
    const status = detail.xhr ? detail.xhr.status : 0
    say(status === 403 ? "登录已过期或没有权限，请刷新页面重新登录。" : "没有完成：连不上服务器或服务器出错，请稍后重试。")
  })
}

/** Show `text` as a notice at the foot of the window for some seconds. */
function say(text) {
  let box = document.querySelector(".toast")
  if (!box) {
    box = document.createElement("div")
    box.className = "toast"
    box.setAttribute("role", "alert")
    document.body.append(box)
  }
  box.textContent = text
  box.hidden = false
  clearTimeout(box.timer)
  box.timer = setTimeout(() => { box.hidden = true }, 8000)
}
