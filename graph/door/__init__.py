"""The door: from bytes to an operation and back, over HTTP and over sockets.

http: one request, one answer or a stream; requests reads what is asked, responses writes what is told.
socket: graphql-transport-ws.
recorder: notes every request for the request log.
"""
