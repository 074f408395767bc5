package farm

// States lists the states of jobs in the order of reports.
var States = []State{Done, Failed, Running, Queued, Cancelled}
