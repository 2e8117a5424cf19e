package judge

import (
	"encoding/json"
	"fmt"
	"io"

	lua "github.com/yuin/gopher-lua"
)

// Lua reads one object's JSON and runs the script over it as Argo CD does: the object is the global
// `obj`, and only the libraries that Argo CD opens are there. What the script returns is printed:
// `status` and `message` of a health check as one line, anything else as JSON.
func Lua(args []string, in io.Reader, out io.Writer) int {
	if len(args) != 1 {
		return complain("usage: lua SCRIPT < OBJECT")
	}
	var object any
	if err := json.NewDecoder(in).Decode(&object); err != nil {
		return complain("lua: standard input is not an object: %v", err)
	}
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName:   lua.OpenPackage,
		lua.BaseLibName:   lua.OpenBase,
		lua.TabLibName:    lua.OpenTable,
		lua.StringLibName: lua.OpenString,
		lua.OsLibName:     openClock,
	} {
		if err := state.CallByParam(lua.P{Fn: state.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return complain("lua: library %s: %v", name, err)
		}
	}
	state.SetGlobal("obj", toLua(state, object))
	if err := state.DoFile(args[0]); err != nil {
		return complain("lua: %v", err)
	}
	returned := fromLua(state.Get(-1))
	if table, ok := returned.(map[string]any); ok && table["status"] != nil && table["kind"] == nil {
		message, _ := table["message"].(string)
		fmt.Fprintf(out, "%v %s\n", table["status"], message)
		return 0
	}
	if err := json.NewEncoder(out).Encode(returned); err != nil {
		return complain("lua: %v", err)
	}
	return 0
}

// openClock leaves of `os` what Argo CD leaves of it: the time.
func openClock(state *lua.LState) int {
	lua.OpenOs(state)
	full := state.GetGlobal(lua.OsLibName).(*lua.LTable)
	clock := state.NewTable()
	for _, name := range []string{"time", "date"} {
		clock.RawSetString(name, full.RawGetString(name))
	}
	state.SetGlobal(lua.OsLibName, clock)
	state.Push(clock)
	return 1
}

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.NewTable()
		for _, item := range value {
			table.Append(toLua(state, item))
		}
		return table
	case map[string]any:
		table := state.NewTable()
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

// fromLua reads a table with entries 1..n as a list, as Argo CD does; an empty one is an object.
func fromLua(value lua.LValue) any {
	switch value := value.(type) {
	case lua.LBool:
		return bool(value)
	case lua.LNumber:
		return float64(value)
	case lua.LString:
		return string(value)
	case *lua.LTable:
		if length := value.MaxN(); length > 0 {
			list := make([]any, 0, length)
			for i := 1; i <= length; i++ {
				list = append(list, fromLua(value.RawGetInt(i)))
			}
			return list
		}
		object := map[string]any{}
		value.ForEach(func(key, item lua.LValue) { object[key.String()] = fromLua(item) })
		return object
	}
	return nil
}
