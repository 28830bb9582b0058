-- Opens a session in Ardour without a screen and prints what Ardour knows of it, a fact a line, its
-- fields between tabs. Run by luasession: SESSION-FOLDER, then what shall be done: "save"; or places
-- that shall be told, sample positions ("240000") or bars ("7|1").
AudioEngine:set_backend("None (Dummy)", "Unit-Test", "")
local session = load_session(arg[1], "take")
assert(session, "Ardour does not open the session")

local function say(...) print(table.concat({...}, "\t")) end
local function number(value) return string.format("%.0f", value) end

say("rate", number(session:nominal_sample_rate()))
for route in session:get_routes():iter() do
    local track = route:to_track()
    say("route", route:name(), tostring(route:muted()), number(route:n_inputs():n_audio()),
        number(route:n_outputs():n_audio()),
        string.format("%08x", route:presentation_info_ptr():color()))
    if not track:isnil() then
        for region in track:playlist():region_list():iter() do
            local audio = region:to_audioregion()
            say("region", route:name(), region:name(), number(region:position():samples()),
                number(region:length():samples()), number(audio:n_channels()),
                string.format("%.9f", audio:maximum_amplitude(nil)))
        end
    end
end
for location in session:locations():list():iter() do
    say(location:is_mark() and "mark" or "range", location:name(),
        number(location:start():samples()), number(location:_end():samples()))
end

local tempo = Temporal.TempoMap.read()
for k = 2, #arg do
    local bar, beat = string.match(arg[k], "^(%d+)|(%d+)$")
    if bar then
        local quarters = tempo:quarters_at_bbt(Temporal.BBT_TIME(tonumber(bar), tonumber(beat), 0))
        say("bar", arg[k], number(tempo:sample_at_bbt(quarters)))
    elseif arg[k] == "save" then
        for track in session:get_tracks():iter() do
            track:set_name("By hand")
            break
        end
        assert(session:save_state("", false, false, false, false, false) == 0)
    else
        local place = Temporal.timepos_t(tonumber(arg[k]))
        local at, meter = tempo:bbt_at(place), tempo:meter_at(place)
        say("place", arg[k], at.bars .. "|" .. at.beats .. "|" .. at.ticks,
            string.format("%.6f", tempo:quarters_per_minute_at(place)),
            meter:divisions_per_bar() .. "/" .. meter:note_value())
    end
end
say("end")
close_session()
