from tests.engine.world import World, actions, code, definition, fleet, results


def test_apply_then_nothing() -> None:
    world = World(definitions=fleet(definition("a", instructions="x", metadata={"team": "t"}), definition("b/c", tools=[{"type": "code_interpreter"}])))
    assert actions(world.plan()) == {"a": "create", "b/c": "create"}
    report = world.apply()
    assert results(report) == {"a": "done", "b/c": "done"}
    assert code(report) == 0
    assert actions(world.plan()) == {}
    n = len(world.writes)
    world.apply()
    assert len(world.writes) == n
    print(world.state_text)
    print(world.live())
