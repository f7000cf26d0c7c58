// What the theme leaves out: names for regions, and wide things that the keyboard can scroll.
document.addEventListener("DOMContentLoaded", () => {
  const sidebar = document.querySelector(".bd-sidebar-primary");
  if (sidebar) sidebar.setAttribute("role", "complementary");
  for (const th of document.querySelectorAll("th")) {
    if (th.textContent.trim()) continue; // the empty corner of a table heads nothing
    const td = document.createElement("td");
    th.replaceWith(td);
  }
  for (const wide of document.querySelectorAll("pre, .output, .output div[style*=overflow]")) {
    wide.tabIndex = 0;
  }
});
