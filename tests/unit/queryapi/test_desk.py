"""Work at the desk: what nobody waits for any more is not begun."""

import asyncio
import threading

from aicost.entrypoints.queryapi.desk import Desk


async def test_a_question_whose_asker_has_gone_is_not_begun_and_gives_its_place_back():
    desk, go, begun = Desk(1, 1, 10.0), threading.Event(), []
    first = asyncio.create_task(desk.run(lambda: go.wait(30)))
    second = asyncio.create_task(desk.run(lambda: begun.append("second")))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    third = asyncio.create_task(desk.run(lambda: "third"))
    go.set()
    assert await third == "third"
    assert await first is True
    assert begun == []
    desk.close()
