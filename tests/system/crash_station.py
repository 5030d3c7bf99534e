class StationRun:
    pass
