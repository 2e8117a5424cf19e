//! The Lua that Argo CD runs: gopher-lua, without what its sandbox leaves out.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// Writes what the script returned as JSON.
const PRINT: &str = r#"
local function text(value)
  if type(value) == "table" then
    local parts = {}
    if #value > 0 then
      for _, one in ipairs(value) do parts[#parts + 1] = text(one) end
      return "[" .. table.concat(parts, ",") .. "]"
    end
    for name, one in pairs(value) do
      parts[#parts + 1] = string.format("%q", name) .. ":" .. text(one)
    end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  if type(value) == "string" then return string.format("%q", value) end
  return tostring(value)
end
print(text(script()))
"#;

/// Runs a script below `examples/gitops/argocd` on an object, and returns what it returns, or what
/// it says against it.
///
/// # Panics
/// Where there is no such Lua: `make test` builds it.
pub fn run(script: &str, object: &Value) -> Result<Value, String> {
    let program = std::env::var_os("CIOSYNC_TEST_LUA").expect(
        "CIOSYNC_TEST_LUA names no Lua: run `make test`, or set it to what tests/setup/lua.sh prints",
    );
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gitops/argocd");
    let body = std::fs::read_to_string(folder.join(script)).unwrap();
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("run.lua");
    // Neither the machine nor its clock may be asked.
    let sandbox = "local print = print\nos, io, require, dofile, loadfile = nil\n";
    let text = format!(
        "{sandbox}obj = {}\nlocal function script()\n{body}\nend\n{PRINT}",
        literal(object)
    );
    std::fs::write(&file, text).unwrap();
    let output = Command::new(&program)
        .arg(&file)
        .output()
        .unwrap_or_else(|err| panic!("{}: {err}", program.display()));
    let said = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(&said)
        .map_err(|_| format!("{said}{}", String::from_utf8_lossy(&output.stderr)))
}

/// Writes a value as Lua does.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "nil".to_owned(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| {
                format!("[{}] = {}", Value::from(name.as_str()), literal(value))
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            format!("{{{}}}", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}
